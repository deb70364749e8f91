/// Which part of a picture goes where in the tensor; all in whole pixels.
public struct Placement: Sendable, Equatable {
    public let sourceTop: Int
    public let sourceLeft: Int
    public let sourceRows: Int
    public let sourceColumns: Int
    public let top: Int
    public let left: Int
    public let rows: Int
    public let columns: Int

    /// What cropping and fitting do to a picture of so many rows and columns.
    public static func of(rows pictureRows: Int, columns pictureColumns: Int, _ spec: ImageSpec) -> Placement {
        // Rounded down, so the crop is never smaller than asked for.
        var sourceTop = Int((Double(pictureRows) - Double(pictureRows) * spec.cropFraction) / 2)
        var sourceLeft = Int((Double(pictureColumns) - Double(pictureColumns) * spec.cropFraction) / 2)
        var rows = pictureRows - 2 * sourceTop
        var columns = pictureColumns - 2 * sourceLeft
        let (height, width) = (spec.height, spec.width)
        var (top, left, tall, wide) = (0, 0, height, width)
        switch spec.fit {
        case .stretch:
            break
        case .crop:
            let sourceRows = max(1, min(rows, columns * height / width))
            let sourceColumns = max(1, min(columns, rows * width / height))
            sourceTop += (rows - sourceRows) / 2
            sourceLeft += (columns - sourceColumns) / 2
            rows = sourceRows
            columns = sourceColumns
        case .pad:
            if rows * width >= columns * height {
                wide = max(1, columns * height / rows)
                left = (width * rows - columns * height) / (2 * rows)
            } else {
                tall = max(1, rows * width / columns)
                top = (height * columns - rows * width) / (2 * columns)
            }
        }
        return Placement(
            sourceTop: sourceTop, sourceLeft: sourceLeft, sourceRows: rows, sourceColumns: columns,
            top: top, left: left, rows: tall, columns: wide)
    }
}
