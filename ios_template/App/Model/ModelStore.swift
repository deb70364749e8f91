@preconcurrency import CoreML
import CryptoKit
import EdgeCore

/// Where the compiled model is: in the app, where Xcode put it, or compiled on the device out of a download.
enum ModelStore {
    /// The model that came with the app.
    static func bundled(_ facts: ModelFacts = ModelSpec.facts) throws -> URL {
        let name = facts.modelFile.replacingOccurrences(of: ".mlpackage", with: "")
        guard let url = Bundle.main.url(forResource: name, withExtension: "mlmodelc") else {
            throw ModelError("the app does not hold \(name).mlmodelc", "add \(facts.modelFile) to the app's target")
        }
        return url
    }

    /// A model that was downloaded: checked, compiled once, and kept under its digest.
    ///
    /// - Parameter package: the ".mlpackage" folder that `facts` were generated for.
    /// - Returns: the compiled model; later calls return it at once, and need no package.
    static func downloaded(_ package: URL, _ facts: ModelFacts) async throws -> URL {
        let folder = try prepare(URL.applicationSupportDirectory.appending(path: "edge-models"))
        let kept = folder.appending(path: "\(facts.modelSha256).mlmodelc")
        if FileManager.default.fileExists(atPath: kept.path) { return kept }
        guard try digest(of: package) == facts.modelSha256 else {
            throw ModelError(
                "\(package.lastPathComponent) is not the model that this app was made for",
                "download it again; for a new version of the model run edge scaffold update")
        }
        let compiled = try await MLModel.compileModel(at: package)
        do {
            // Within one volume this is one step, so that half a model is never found under its digest.
            try FileManager.default.moveItem(at: compiled, to: kept)
        } catch {
            try? FileManager.default.removeItem(at: compiled)
            // Another task may have been faster.
            guard FileManager.default.fileExists(atPath: kept.path) else { throw error }
        }
        return kept
    }

    /// Removes compiled downloads but one.
    static func forget(except facts: ModelFacts) throws {
        let folder = try prepare(URL.applicationSupportDirectory.appending(path: "edge-models"))
        for url in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where url.lastPathComponent != "\(facts.modelSha256).mlmodelc" {
            try FileManager.default.removeItem(at: url)
        }
    }

    /// The digest of a folder, as edge_sdk computes it.
    static func digest(of folder: URL) throws -> String {
        let lines = try FolderListing.lines(of: folder) { try digest(ofFile: $0) }
        return hexadecimal(SHA256.hash(data: Data(lines.joined().utf8)))
    }

    private static func digest(ofFile url: URL) throws -> (size: Int, sha256: String) {
        let file = try FileHandle(forReadingFrom: url)
        defer { try? file.close() }
        var hash = SHA256()
        var size = 0
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            hash.update(data: piece)
            size += piece.count
        }
        return (size, hexadecimal(hash.finalize()))
    }

    private static func hexadecimal(_ digest: SHA256Digest) -> String {
        digest.map { String(format: "%02x", $0) }.joined()
    }

    private static func prepare(_ folder: URL) throws -> URL {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What can be downloaded and compiled again does not belong into a backup.
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        var excluded = folder
        try excluded.setResourceValues(values)
        return folder
    }
}
