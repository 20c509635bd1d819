public import UnitFile

/// The words of systemd's `LoadState`.
public enum LoadState: String, Sendable, Hashable, CaseIterable {
    case loaded
    case notFound = "not-found"
    /// Its unit file is empty or a link to `/dev/null`.
    case masked
    /// It could be read, but not be run like that.
    case badSetting = "bad-setting"
    /// Its unit file could not be read, or is refused as a whole.
    case error
}

/// One file of a unit, as it was when it was read.
public struct LoadedFile: Sendable {
    public let path: String
    public let bytes: [UInt8]
    /// What stands before the first fatal problem.
    public let file: UnitFile

    /// For people: what is not UTF-8 is replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// An assignment and the file that it stands in.
public struct SourcedAssignment: Sendable, Hashable {
    public let path: String
    public let assignment: Assignment

    public init(path: String, assignment: Assignment) {
        self.path = path
        self.assignment = assignment
    }
}

/// A problem and the file that it is in.
public struct SourcedProblem: Error, Sendable, Hashable {
    public let path: String
    public let problem: SyntaxProblem

    public init(path: String, problem: SyntaxProblem) {
        self.path = path
        self.problem = problem
    }

    init(_ error: UnitFileSystemError) {
        path = error.path
        problem = SyntaxProblem(
            position: Position(line: 1, column: 1), message: error.message, remedy: error.remedy, isFatal: true)
    }
}

/// A unit as its files have it, nothing interpreted yet.
public struct LoadedUnit: Sendable {
    /// The unit's own name (`%n`): another than was asked for if that one is a link to this one.
    public let name: UnitName
    public var loadState: LoadState
    public let fragmentPath: String?
    /// In the order in which they apply.
    public let dropInPaths: [String]
    /// The unit file, then the drop-ins.
    public let files: [LoadedFile]
    /// Skipped lines; broken files and unreadable ones (`isFatal`). A drop-in's fatal problem leaves `loadState` at
    /// `loaded`, as in systemd, and what stands before it in `assignments`.
    public let problems: [SourcedProblem]

    /// Of all files, in the order in which they apply.
    public var assignments: [SourcedAssignment] {
        files.flatMap { file in
            file.file.assignments.map { SourcedAssignment(path: file.path, assignment: $0) }
        }
    }

    public var sources: [(path: String, text: String)] { files.map { ($0.path, $0.text) } }
}
