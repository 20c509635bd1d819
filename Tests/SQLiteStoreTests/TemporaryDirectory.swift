import Foundation

/// A directory that is there for one test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "faf-sqlite-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func size(_ name: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.size] as? Int ?? 0
    }

    func copy(_ name: String, to target: TemporaryDirectory) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
        try data.write(to: URL(fileURLWithPath: target.path + "/" + name))
    }
}
