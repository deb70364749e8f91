// What is found after types are checked: two that hold the same buffer.
import CoreVideo

func share(_ buffer: CVPixelBuffer) {
    Task.detached { print(buffer) }  // error: risks causing data races
    print(buffer)
}
