import EdgeCore
import Foundation

/// The files of a folder as text, which a digest of the whole folder is made of.
enum FolderListing {
    /// One line "NAME SIZE DIGEST" for each file below a folder, with the name relative to it, sorted by name.
    static func lines(
        of folder: URL, digest: (URL) throws -> (size: Int, sha256: String)
    ) throws -> [String] {
        let top = folder.resolvingSymlinksInPath().path + "/"
        guard let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        else { throw ModelError("\(folder.lastPathComponent) cannot be read", "download it again") }
        var found: [(name: String, line: String)] = []
        for case let url as URL in files
        where try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
            let name = String(url.resolvingSymlinksInPath().path.dropFirst(top.count))
            let (size, sha256) = try digest(url)
            found.append((name, "\(name) \(size) \(sha256)\n"))
        }
        // By code points: the order of String follows Unicode's rules for equal texts.
        found.sort { $0.name.unicodeScalars.lexicographicallyPrecedes($1.name.unicodeScalars) }
        return found.map(\.line)
    }
}
