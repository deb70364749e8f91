import EdgeCore
import SwiftUI

/// The demo screen.
struct ContentView: View {
    var body: some View {
        Text(verbatim: ModelSpec.facts.name)
    }
}
