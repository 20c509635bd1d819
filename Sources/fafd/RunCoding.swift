import Foundation
import Lifecycle
public import TaskModel
public import Varlink

/// The row as it travels in its attempt's record, from which it is restored if the database loses it.
enum RunCoding {
    static func encode(_ run: Run) throws(LaunchRefusal) -> [UInt8] {
        do { return try JSON.encode(run) } catch {
            throw LaunchRefusal(
                step: "specification", errno: 0, message: "run \(run.id) cannot be written: \(error)",
                remedy: "report this: it is a defect of fafd")
        }
    }

    /// `nil` if the bytes are no run.
    static func decode(_ bytes: [UInt8]) -> Run? {
        try? JSONDecoder().decode(Run.self, from: Data(bytes))
    }
}

/// The largest part of a row, and the same for all runs of a task.
extension Shared: KeepsJSON {
    public var json: [UInt8] { get throws { try text(JSON.encode) } }
}
