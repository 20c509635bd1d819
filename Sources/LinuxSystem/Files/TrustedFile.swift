internal import CLinux

/// Files that give orders: units, drop-ins, configuration (threat-model C6).
public enum TrustedFile {
    public enum Contents: Sendable, Hashable {
        case bytes([UInt8])
        /// The path leads to /dev/null: masked.
        case masked
    }

    /// Reads a regular file if only root and `owner` could have written it: every directory on the way, every link and
    /// the file belong to one of the two, and nobody else may write them. A root-owned sticky directory (/tmp) may be an
    /// ancestor, never the file's own directory. Opened without waiting.
    ///
    /// - Returns: `nil` if there is no such file.
    public static func read(
        _ path: String, owner: UInt32, limit: Int = 1 << 20
    ) throws(TrustedFileRefusal) -> Contents? {
        do {
            return try Walk(path: path, owner: owner).read(limit: limit)
        } catch {
            switch error {
            case .refused(let refusal): throw refusal
            case .failed(let error) where error.errno == ErrorNumber.notFound: return nil
            case .failed(let error):
                throw TrustedFileRefusal(path: path, culprit: error.path ?? path, problem: .system(error))
            }
        }
    }
}

/// Why a file's orders are not followed.
public struct TrustedFileRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        case notAbsolute
        case notRegular
        /// Belongs to this uid.
        case owner(UInt32)
        /// Has these permissions.
        case writable(UInt32)
        case tooLarge(limit: Int)
        case tooManyLinks
        case system(SystemError)
    }

    /// As it was asked for.
    public let path: String
    /// The file, link or directory at fault.
    public let culprit: String
    public let problem: Problem

    public var description: String { "\(message); \(remedy)" }

    /// What is wrong with what.
    public var message: String {
        switch problem {
        case .notAbsolute: "\(path) is not an absolute path"
        case .notRegular: "\(culprit) is not a regular file"
        case .owner(let uid): "\(culprit) belongs to uid \(uid), who could change it"
        case .writable(let mode): "\(culprit) is writable by group or others (mode \(String(mode, radix: 8)))"
        case .tooLarge(let limit): "\(culprit) has more than \(limit) bytes"
        case .tooManyLinks: "\(path) leads through too many links"
        case .system(let error): error.description
        }
    }

    /// What to do about it.
    public var remedy: String {
        switch problem {
        case .notAbsolute: "write the path from / on"
        case .notRegular: "put a file there, or a link to /dev/null to mask it"
        case .owner: "chown it to root"
        case .writable: "chmod go-w \(culprit)"
        case .tooLarge: "make it smaller"
        case .tooManyLinks: "look for a loop"
        case .system: "look at the path and its permissions"
        }
    }
}

/// Walks a path one component at a time, links included, so that each step is looked at before it is taken.
private struct Walk {
    enum Failure: Error {
        case refused(TrustedFileRefusal)
        case failed(SystemError)
    }

    let path: String
    let owner: UInt32

    func read(limit: Int) throws(Failure) -> TrustedFile.Contents {
        guard path.utf8.first == UInt8(ascii: "/") else { throw refusal(path, .notAbsolute) }
        if path.utf8.contains(0) { throw .failed(SystemError(call: "open", path: path, errno: ErrorNumber.invalid)) }
        var rest = components(of: path)
        var directory: [String] = []
        var links = 0
        try look(at: "/", holdsFile: false)
        while !rest.isEmpty {
            let name = rest.removeFirst()
            if name == "." { continue }
            if name == ".." {
                _ = directory.popLast()
                continue
            }
            let place = "/" + (directory + [name]).joined(separator: "/")
            guard let status = try status(of: place) else {
                throw .failed(SystemError(call: "open", path: place, errno: ErrorNumber.notFound))
            }
            switch status.kind {
            case .link:
                links += 1
                if links > 40 { throw refusal(place, .tooManyLinks) }
                if status.uid != 0 && status.uid != owner { throw refusal(place, .owner(status.uid)) }
                let target = try readLink(place)
                if target == "/dev/null" && rest.isEmpty { return .masked }
                if target.utf8.first == UInt8(ascii: "/") { directory = [] }
                rest = components(of: target) + rest
            case .directory:
                try judge(place, status, sticky: true)
                directory.append(name)
            default:
                guard rest.isEmpty else {
                    throw .failed(SystemError(call: "open", path: place, errno: ErrorNumber.notDirectory))
                }
                // The directory was entered as an ancestor: now it is the one that holds the file.
                try look(at: "/" + directory.joined(separator: "/"), holdsFile: true)
                return try open(place, limit: limit)
            }
        }
        throw refusal(path, .notRegular)
    }

    private func components(of text: String) -> [String] {
        text.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    }

    private func refusal(_ culprit: String, _ problem: TrustedFileRefusal.Problem) -> Failure {
        .refused(TrustedFileRefusal(path: path, culprit: culprit, problem: problem))
    }

    private func status(of place: String) throws(Failure) -> FileStatus? {
        do { return try FileStatus.of(path: place, followingLinks: false) } catch { throw .failed(error) }
    }

    private func readLink(_ place: String) throws(Failure) -> String {
        var target = [UInt8](repeating: 0, count: 4096)
        let length = target.withUnsafeMutableBytes { bytes in
            fafd_read_link(-1, place, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        do { try check(length, "readlink", place) } catch { throw .failed(error) }
        return String(decoding: target.prefix(Int(length)), as: UTF8.self)
    }

    private func look(at place: String, holdsFile: Bool) throws(Failure) {
        guard let status = try status(of: place) else { return }
        try judge(place, status, sticky: !holdsFile)
    }

    private func judge(_ place: String, _ status: FileStatus, sticky: Bool) throws(Failure) {
        if status.uid != 0 && status.uid != owner { throw refusal(place, .owner(status.uid)) }
        if status.isWritableByOthers && !(sticky && status.uid == 0 && status.permissions & 0o1000 != 0) {
            throw refusal(place, .writable(status.permissions))
        }
    }

    private func open(_ place: String, limit: Int) throws(Failure) -> TrustedFile.Contents {
        let status: FileStatus
        let bytes: [UInt8]
        do {
            let file = try Files.open(place, [.noFollow, .nonblocking])
            status = try file.status()
            // Only a regular file is read; what it is and whose is judged below, from this same open file.
            bytes = status.kind == .regular ? try file.readAll(limit: limit, path: place) : []
        } catch {
            throw error.errno == ErrorNumber.tooLarge ? refusal(place, .tooLarge(limit: limit)) : .failed(error)
        }
        guard status.kind == .regular else { throw refusal(place, .notRegular) }
        try judge(place, status, sticky: false)
        return .bytes(bytes)
    }
}
