import EdgeCore

/// Yours: `edge scaffold update` never touches the files of this folder.
enum UserCode {
    /// Called on the main actor with each answer of the demo screen.
    @MainActor
    static func received(_ meaning: Meaning) {}
}
