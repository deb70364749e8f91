// Stub of androidx.camera.viewfinder:viewfinder-compose 1.6.2
package androidx.camera.viewfinder.compose

import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.graphics.Matrix

interface CoordinateTransformer {
    val transformMatrix: Matrix

    fun Offset.transform(): Offset = TODO()
}

interface MutableCoordinateTransformer : CoordinateTransformer {
    override var transformMatrix: Matrix
}

fun MutableCoordinateTransformer(matrix: Matrix = Matrix()): MutableCoordinateTransformer = TODO()
