package [[ options.application_id ]]

[% if "camera" in flags %]
import android.Manifest
import android.content.pm.PackageManager
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
[% endif %]
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Text
import androidx.compose.material3.TopAppBar
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
[% if "camera" in flags %]
import androidx.compose.ui.platform.LocalContext
[% endif %]
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.collectAsStateWithLifecycle

/** The app's one screen. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
fun MainScreen(model: MainViewModel) {
    val state by model.state.collectAsStateWithLifecycle()
    Scaffold(topBar = { TopAppBar(title = { Text(stringResource(R.string.app_name)) }) }) { padding ->
        Column(
            Modifier.padding(padding).fillMaxSize().verticalScroll(rememberScrollState()).padding(16.dp),
            verticalArrangement = Arrangement.spacedBy(12.dp),
        ) {
            Actions(state, model)
            if (state.busy) LinearProgressIndicator(Modifier.fillMaxWidth())
            state.problem?.let { ProblemCard(it) }
[% if "camera" in flags %]
            if (state.camera) {
                CameraView(state.result, model::frame, model::cameraFailed)
            } else {
                state.result?.let { PictureView(it) }
            }
[% endif %]
            state.result?.let { ResultCard(it) }
            state.selfTest?.let { SelfTestCard(it) }
            state.report?.let { ReportCard(it, state.latency) }
        }
    }
}

[% if "camera" in flags %]
@Composable
private fun Actions(state: ScreenState, model: MainViewModel) {
    val context = LocalContext.current
    val denied = stringResource(R.string.camera_denied)
    val allow = stringResource(R.string.camera_allow)
    val picker = rememberLauncherForActivityResult(PickVisualMedia()) { uri -> uri?.let(model::open) }
    val permission =
        rememberLauncherForActivityResult(RequestPermission()) { granted ->
            if (granted) model.useCamera(true) else model.cameraFailed(denied, allow)
        }
    FlowRow(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
        Button(
            onClick = {
                model.useCamera(false)
                picker.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly))
            },
            enabled = !state.busy,
        ) { Text(stringResource(R.string.open_picture)) }
        Button(
            onClick = {
                when {
                    state.camera -> model.useCamera(false)
                    context.checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED ->
                        model.useCamera(true)
                    else -> permission.launch(Manifest.permission.CAMERA)
                }
            },
            enabled = !state.busy,
        ) { Text(stringResource(if (state.camera) R.string.stop_camera else R.string.use_camera)) }
        TestButtons(state, model)
    }
}
[% else %]
@Composable
private fun Actions(state: ScreenState, model: MainViewModel) {
    FlowRow(horizontalArrangement = Arrangement.spacedBy(8.dp)) { TestButtons(state, model) }
}
[% endif %]

@Composable
private fun TestButtons(state: ScreenState, model: MainViewModel) {
    OutlinedButton(onClick = model::runRecorded, enabled = !state.busy) { Text(stringResource(R.string.run_recorded)) }
    OutlinedButton(onClick = model::selfTest, enabled = !state.busy) { Text(stringResource(R.string.self_test)) }
    OutlinedButton(onClick = model::tryAll, enabled = !state.busy) { Text(stringResource(R.string.try_all)) }
}
