package [[ options.application_id ]]

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Card
import androidx.compose.material3.CardColors
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.pluralStringResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import edge.core.RunReport

/** What the model said. */
@Composable
fun ResultCard(result: Result) {
    TitledCard(stringResource(R.string.result)) {
        if (result.lines.isEmpty()) Text(stringResource(R.string.nothing_found))
        result.lines.forEach { Text(it) }
    }
}

/** What runs the model and why, and how fast. */
@Composable
fun ReportCard(report: RunReport, latency: Latency?) {
    TitledCard(stringResource(R.string.runs_on, report.accelerator.key, report.runtime)) {
        latency?.let {
            Text(pluralStringResource(R.plurals.latency, it.calls, it.calls, it.p50, it.p90))
        }
        report.lines.forEach { Text(it, style = MaterialTheme.typography.bodySmall) }
    }
}

/** Whether this device computes what the host computed. */
@Composable
fun SelfTestCard(problems: List<String>) {
    TitledCard(stringResource(if (problems.isEmpty()) R.string.self_test_passed else R.string.self_test_failed)) {
        problems.take(MOST_PROBLEMS).forEach { Text(it, style = MaterialTheme.typography.bodySmall) }
    }
}

/** What went wrong, and what to do. */
@Composable
fun ProblemCard(problem: Problem) {
    val colors =
        CardDefaults.cardColors(
            containerColor = MaterialTheme.colorScheme.errorContainer,
            contentColor = MaterialTheme.colorScheme.onErrorContainer,
        )
    TitledCard(problem.reason, colors) { Text(problem.remedy) }
}

@Composable
private fun TitledCard(
    title: String,
    colors: CardColors = CardDefaults.cardColors(),
    content: @Composable ColumnScope.() -> Unit,
) {
    Card(Modifier.fillMaxWidth(), colors = colors) {
        SelectionContainer {
            Column(Modifier.padding(12.dp), verticalArrangement = Arrangement.spacedBy(4.dp)) {
                Text(title, style = MaterialTheme.typography.titleMedium)
                content()
            }
        }
    }
}

private const val MOST_PROBLEMS = 20
