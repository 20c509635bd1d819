import Glibc
import Synchronization
public import TaskModel

/// Numbers for runs, rising, none of them given twice on this host: not after a crash, not with a restored database.
///
/// The file holds one decimal number and a newline: the next number that is *not* reserved. It is moved forward by
/// `step` durably before the first of those numbers is given, so a crash skips numbers and never repeats one. `next()`
/// touches the disk once per `step` numbers.
public final class NumberReserve: Sendable {
    /// How far the file is moved forward each time.
    public static let step: Int64 = 1000

    /// How far beyond the known runs numbers go on when the file could not be read: further than numbers were given
    /// to runs that left neither row nor record.
    static let stepOverDamage: Int64 = 10 * step

    /// What happened to a damaged file, for the log; `nil` if it was in order.
    public let setAside: String?

    private struct State {
        var next: Int64
        /// First number that the file does not reserve for us.
        var end: Int64
        var isReleased = false
    }

    private let file: NumberFile
    private let state: Mutex<State>

    /// Reads the file; a missing one is made when the first number is asked for, so this works on a full disk.
    ///
    /// A file that holds no number is replaced and kept aside if there are runs to count on from, and numbers then go on well above
    /// them; without any run it is not known where to begin, and this throws `damaged`.
    ///
    /// - Parameter atLeast: No number below this one is given: one more than the highest of rows and records.
    public init(path: String, atLeast: RunID) throws(StoreError) {
        file = NumberFile(path: path)
        var first = max(atLeast.rawValue, 1)
        switch try file.read() {
        case .missing: setAside = nil
        case .number(let number):
            setAside = nil
            first = max(first, number)
        case .damaged(let content):
            guard first > 1 else {
                throw .damaged(
                    "\(path) holds no number (\(content)) and there is no run to count on from; "
                        + "write a number into it that is higher than that of any run so far, or remove it")
            }
            first += Self.stepOverDamage
            let aside = try file.setAside(replacedBy: first)
            setAside = "\(path) holds no number (\(content)); kept as \(aside), runs go on with number \(first)"
        }
        state = Mutex(State(next: first, end: first))
    }

    /// The next number. Throws if it could not be reserved: no number was given then, and the next call tries again.
    public func next() throws(StoreError) -> RunID {
        // Held over the write on purpose: whoever else needs a number needs the same reservation.
        let result = state.withLock { (state) -> Result<RunID, StoreError> in
            if state.isReleased { return .failure(.unavailable("the numbers in \(file.path) were given back")) }
            if state.next == state.end {
                let (end, overflow) = state.end.addingReportingOverflow(Self.step)
                if overflow { return .failure(.full("\(file.path): there are no numbers left")) }
                do throws(StoreError) { try file.write(end) } catch { return .failure(error) }
                state.end = end
            }
            defer { state.next += 1 }
            return .success(RunID(rawValue: state.next))
        }
        return try result.get()
    }

    /// The next number if the disk is not needed for it; `nil`: `next` reserves more, or says why it cannot.
    public func nextInHand() -> RunID? {
        state.withLock { state in
            if state.isReleased || state.next == state.end { return nil }
            defer { state.next += 1 }
            return RunID(rawValue: state.next)
        }
    }

    /// Gives back what was reserved and not used, so that numbers go on without a gap after an orderly stop. No number
    /// is given afterwards. A failure costs nothing but the gap, so there is none to report.
    public func release() {
        state.withLock { state in
            if state.isReleased { return }
            state.isReleased = true
            if state.next != state.end { try? file.write(state.next) }
        }
    }
}

/// The file of a `NumberReserve`, replaced as a whole.
struct NumberFile {
    enum Content: Equatable {
        case missing
        case number(Int64)
        /// What is wrong with it.
        case damaged(String)
    }

    let path: String

    func read() throws(StoreError) -> Content {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if descriptor < 0 {
            if errno == ENOENT { return .missing }
            throw failure("open", path)
        }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        if count < 0 { throw failure("read", path) }
        return Self.parse(bytes.prefix(count))
    }

    static func parse(_ bytes: ArraySlice<UInt8>) -> Content {
        if bytes.isEmpty { return .damaged("it is empty") }
        guard bytes.last == UInt8(ascii: "\n") else { return .damaged("its line does not end") }
        let digits = bytes.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int64(String(decoding: digits, as: UTF8.self)), number > 0
        else { return .damaged("not a decimal number") }
        return .number(number)
    }

    /// Written aside, synced, renamed, and the directory synced: after a power cut it is the old file or the new one.
    /// Whatever fails, the number is not reserved: a failed fsync is not asked again about the same file.
    func write(_ number: Int64) throws(StoreError) {
        let aside = path + ".new"
        let descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw failure("create", aside) }
        do throws(StoreError) {
            defer { Glibc.close(descriptor) }
            let bytes = Array("\(number)\n".utf8)
            let written = Glibc.write(descriptor, bytes, bytes.count)
            if written < 0 { throw failure("write", aside) }
            if written != bytes.count { throw .full("write \(aside): only \(written) of \(bytes.count) bytes") }
            if fsync(descriptor) != 0 { throw failure("fsync", aside) }
        } catch {
            unlink(aside)
            throw error
        }
        if rename(aside, path) != 0 { throw failure("rename", aside) }
        try syncDirectory()
    }

    /// Keeps the file under a free name beside it, puts a new one in its place and returns that name. There is a file
    /// at every moment: without one, a crash in between would let numbers begin at the runs again.
    func setAside(replacedBy number: Int64) throws(StoreError) -> String {
        for copy in 0..<1000 {
            let aside = "\(path).damaged-\(copy)"
            if link(path, aside) == 0 {
                try write(number)
                return aside
            }
            if errno != EEXIST { throw failure("link", aside) }
        }
        throw .unavailable("\(path) is damaged and there are too many damaged ones beside it; remove some")
    }

    private func syncDirectory() throws(StoreError) {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw failure("open", directory) }
        defer { Glibc.close(descriptor) }
        if fsync(descriptor) != 0 { throw failure("fsync", directory) }
    }

    /// Reads errno, so it is called first thing after the failing call.
    private func failure(_ call: String, _ path: String) -> StoreError {
        let code = errno
        let message = "\(call) \(path): \(String(cString: strerror(code)))"
        return code == ENOSPC || code == EDQUOT ? .full(message) : .unavailable(message)
    }
}
