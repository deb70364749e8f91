package edge.core

/** Which part of a picture goes where in the tensor; all in whole pixels. */
data class Placement(
    val sourceTop: Int,
    val sourceLeft: Int,
    val sourceRows: Int,
    val sourceColumns: Int,
    val top: Int,
    val left: Int,
    val rows: Int,
    val columns: Int,
) {
    companion object {
        /** What cropping and fitting do to a picture of [pictureRows] x [pictureColumns]. */
        fun of(pictureRows: Int, pictureColumns: Int, spec: ImageSpec): Placement {
            // Rounded down, so the crop is never smaller than asked for.
            var sourceTop = ((pictureRows - pictureRows * spec.cropFraction) / 2).toInt()
            var sourceLeft = ((pictureColumns - pictureColumns * spec.cropFraction) / 2).toInt()
            var rows = pictureRows - 2 * sourceTop
            var columns = pictureColumns - 2 * sourceLeft
            // Products of two sizes may be larger than an Int.
            val height = spec.height.toLong()
            val width = spec.width.toLong()
            var top = 0L
            var left = 0L
            var tall = height
            var wide = width
            when (spec.fit) {
                ImageSpec.Fit.STRETCH -> Unit
                ImageSpec.Fit.CROP -> {
                    val sourceRows = maxOf(1L, minOf(rows.toLong(), columns * height / width)).toInt()
                    val sourceColumns = maxOf(1L, minOf(columns.toLong(), rows * width / height)).toInt()
                    sourceTop += (rows - sourceRows) / 2
                    sourceLeft += (columns - sourceColumns) / 2
                    rows = sourceRows
                    columns = sourceColumns
                }
                ImageSpec.Fit.PAD ->
                    if (rows * width >= columns * height) {
                        wide = maxOf(1L, columns * height / rows)
                        left = (width * rows - columns * height) / (2L * rows)
                    } else {
                        tall = maxOf(1L, rows * width / columns)
                        top = (height * columns - rows * width) / (2L * columns)
                    }
            }
            return Placement(
                sourceTop, sourceLeft, rows, columns,
                top.toInt(), left.toInt(), tall.toInt(), wide.toInt(),
            )
        }
    }
}
