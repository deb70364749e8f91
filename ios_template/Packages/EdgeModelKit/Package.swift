// swift-tools-version: 6.0
import PackageDescription

// Everything around the model, in plain Swift: no Core ML here, so its tests run on any computer in seconds.
let package = Package(
    name: "EdgeModelKit",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "EdgeCore", targets: ["EdgeCore"])
    ],
    targets: [
        .target(name: "EdgeCore"),
        .testTarget(
            name: "EdgeCoreTests",
            dependencies: ["EdgeCore"],
            resources: [.copy("golden.json")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
