import TaskUnits

/// A task as somebody types it.
enum TaskName {
    /// `transcode.task` means `transcode`, as systemctl takes both; on the wire names have no suffix.
    static func withoutSuffix(_ text: String) -> String {
        text.hasSuffix(".task") && text != ".task" ? String(text.dropLast(5)) : text
    }
}

/// A run or a task: a task's name is never all digits.
enum Target: Equatable {
    case run(Int64)
    case task(String)

    init(_ text: String) throws(Failure) {
        if !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) {
            self = .run(try Self.runNumber(text))
        } else {
            do {
                self = .task(try TaskUnits.TaskName.unit(text).task)
            } catch {
                throw Failure(
                    .usage, "\(text) is neither a run's number nor the name of a task: \(error.message)",
                    remedy: error.remedy)
            }
        }
    }

    static func runNumber(_ text: String) throws(Failure) -> Int64 {
        guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let number = Int64(text) else {
            throw Failure(
                .usage, "\(text) is not the number of a run", remedy: "faf list shows the numbers of runs")
        }
        return number
    }
}
