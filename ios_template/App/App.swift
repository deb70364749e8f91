import SwiftUI

/// The app: one window with the demo screen.
@main
struct MainApp: App {
    /// Tests run inside of the app; they open the model themselves, and memory is for one.
    private static let isTested = ProcessInfo.processInfo.environment["XCTestConfigurationFilePath"] != nil

    var body: some Scene {
        WindowGroup {
            if Self.isTested {
                Text("Testing")
            } else {
                ContentView()
            }
        }
    }
}
