package [[ options.application_id ]]

import androidx.compose.foundation.Image
import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.offset
import androidx.compose.foundation.layout.size
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.asImageBitmap
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp

/** The chosen picture, and what was found where. */
@Composable
fun PictureView(result: Result) {
    val picture = result.picture ?: return
    val image = remember(picture) { picture.asImageBitmap() }
    Box(Modifier.fillMaxWidth().aspectRatio(result.aspectRatio)) {
        Image(image, stringResource(R.string.picture), Modifier.fillMaxSize())
        Boxes(result.boxes)
    }
}

/** Boxes over a picture that fills the same place. */
@Composable
fun Boxes(boxes: List<LabelledBox>) {
    val color = MaterialTheme.colorScheme.primary
    BoxWithConstraints(Modifier.fillMaxSize()) {
        for (box in boxes) {
            Box(
                Modifier
                    .offset(maxWidth * box.left, maxHeight * box.top)
                    .size(maxWidth * (box.right - box.left), maxHeight * (box.bottom - box.top))
                    .border(2.dp, color),
            ) {
                Text(
                    box.title,
                    Modifier.background(color),
                    color = MaterialTheme.colorScheme.onPrimary,
                    maxLines = 1,
                    style = MaterialTheme.typography.labelSmall,
                )
            }
        }
    }
}
