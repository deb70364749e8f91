import SwiftUI

/// The app: one window with the demo screen.
@main
struct MainApp: App {
    var body: some Scene {
        WindowGroup { ContentView() }
    }
}
