import Synchronization

/// The unit files as they were at one moment: every file is read once, at a reload, so that no task ever runs with half
/// of an edited file, and an instance that is fired later is made of the same files.
struct UnitSnapshot: UnitFileSystem {
    typealias Answer<Value> = Result<Value?, UnitFileSystemError>

    fileprivate(set) var listings: [String: Answer<[String]>] = [:]
    fileprivate(set) var contents: [String: Answer<[UInt8]>] = [:]
    fileprivate(set) var links: [String: Answer<String>] = [:]

    /// Reads the directories, all units in them and all drop-ins, also those of instances that nobody has asked for yet.
    init(of directories: [String], in fileSystem: some UnitFileSystem) {
        let recorder = Recorder(fileSystem)
        let index = UnitIndex(of: directories, in: recorder)
        for name in index.names.compactMap({ try? UnitName($0) }) { _ = index.load(name) }
        for directory in index.directories {
            for folder in index.listings[directory] ?? []
            where folder.utf8.hasSuffix(UnitName.suffix + ".d") || folder == "task.d" {
                let path = directory + "/" + folder
                for file in (try? recorder.names(in: path)) ?? [] where file.utf8.hasSuffix(".conf") {
                    // What cannot be read is remembered as well, and told when a unit needs it.
                    _ = try? index.destination(of: path + "/" + file)
                    _ = try? recorder.bytes(of: path + "/" + file)
                }
            }
        }
        self = recorder.recorded
    }

    fileprivate init() {}

    func names(in directory: String) throws(UnitFileSystemError) -> [String]? {
        try listings[directory]?.get()
    }

    func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]? {
        try contents[path]?.get()
    }

    func linkTarget(of path: String) throws(UnitFileSystemError) -> String? {
        try links[path]?.get()
    }
}

/// Asks the real file system each question once and keeps the answer.
private final class Recorder<Base: UnitFileSystem>: UnitFileSystem {
    private let base: Base
    private let answers = Mutex(UnitSnapshot())

    init(_ base: Base) { self.base = base }

    var recorded: UnitSnapshot { answers.withLock { $0 } }

    func names(in directory: String) throws(UnitFileSystemError) -> [String]? {
        try answer(\.listings, directory) { path throws(UnitFileSystemError) in try base.names(in: path) }
    }

    func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]? {
        try answer(\.contents, path) { path throws(UnitFileSystemError) in try base.bytes(of: path) }
    }

    func linkTarget(of path: String) throws(UnitFileSystemError) -> String? {
        try answer(\.links, path) { path throws(UnitFileSystemError) in try base.linkTarget(of: path) }
    }

    private func answer<Value: Sendable>(
        _ kind: any WritableKeyPath<UnitSnapshot, [String: UnitSnapshot.Answer<Value>]> & Sendable, _ path: String,
        _ ask: (String) throws(UnitFileSystemError) -> Value?
    ) throws(UnitFileSystemError) -> Value? {
        if let known = answers.withLock({ $0[keyPath: kind][path] }) { return try known.get() }
        let answer: UnitSnapshot.Answer<Value>
        do throws(UnitFileSystemError) { answer = .success(try ask(path)) } catch { answer = .failure(error) }
        answers.withLock { $0[keyPath: kind][path] = answer }
        return try answer.get()
    }
}
