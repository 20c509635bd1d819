internal import LinuxSystem
internal import ShimProtocol
internal import TaskModel

/// Turns the path settings of a unit into mounts, in the order in which the script's process makes them: parents first,
/// of two settings for one path the stricter, nothing twice (systemd's rules).
struct MountPlan {
    /// What has to be there for the attempt, whatever the unit hides.
    struct Needs {
        /// Stays writable.
        var io: String
        var notifySocket: String?
        /// An empty place where credentials are mounted; `nil`: there are none.
        var credentials: String?
        /// An empty file, which stands for files that are hidden.
        var emptyFile: String
        /// For PrivateTmp=: what is shown at these paths.
        var temporaries: [(path: String, directory: String)]
    }

    /// The script's process has some of them open at once.
    static let limit = 200

    let settings: Sandbox
    let needs: Needs
    /// Without links; `nil`: there is no such file.
    let realPath: (String) throws(SystemError) -> String?

    private struct Entry {
        var path: String
        /// Of two for one path the lower counts.
        var rank: Int
        var kind: LaunchSpecification.Mount.Kind
        var setting: String
        var isOptional = false

        var isCover: Bool {
            switch kind {
            case .hidden, .memory, .directory: true
            case .readOnly, .readWrite, .devices, .credentials: false
            }
        }
    }

    func mounts() throws(LaunchFailure) -> [LaunchSpecification.Mount] {
        var kept = try reduced(try resolved(wanted))
        var mounts: [LaunchSpecification.Mount] = []
        for (kind, path) in [
            (.readWrite, needs.io), (.readWrite, needs.notifySocket), (.credentials, needs.credentials),
        ] as [(LaunchSpecification.Mount.Kind, String?)] {
            guard let path, let mount = keep(path, kind, &kept) else { continue }
            mounts.append(mount)
        }
        mounts = kept.map { .init($0.kind, at: $0.path) } + mounts
        if mounts.count > Self.limit {
            throw LaunchFailure(
                step: "sandbox", errno: ErrorNumber.tooLarge, message: "the unit lists more than \(Self.limit) paths",
                remedy: "list directories instead of what is in them")
        }
        return mounts
    }

    // MARK: What the settings say

    private var wanted: [Entry] {
        let hidden = LaunchSpecification.Mount.Kind.hidden(mode: 0, file: needs.emptyFile)
        var entries: [Entry] = []
        func add(_ setting: String, _ rank: Int, _ kind: LaunchSpecification.Mount.Kind, _ paths: [Sandbox.Path]) {
            entries += paths.map {
                Entry(path: $0.path, rank: rank, kind: kind, setting: setting, isOptional: $0.isOptional)
            }
        }
        func optional(_ paths: [String]) -> [Sandbox.Path] { paths.map { .init(path: $0, isOptional: true) } }
        add("InaccessiblePaths", 0, hidden, settings.inaccessiblePaths)
        for (path, directory) in settings.privateTmp == .no ? [] : needs.temporaries {
            let isInMemory = settings.privateTmp == .disconnected
            entries.append(
                Entry(
                    path: path, rank: 1, kind: isInMemory ? .memory(mode: 0o1777) : .directory(directory),
                    setting: "PrivateTmp"))
        }
        if settings.privateDevices {
            entries.append(Entry(path: "/dev", rank: 1, kind: .devices, setting: "PrivateDevices"))
        }
        add("ReadOnlyPaths", 2, .readOnly, settings.readOnlyPaths)
        add("ReadWritePaths", 3, .readWrite, settings.readWritePaths)

        let homes = optional(["/home", "/root", "/run/user"])
        switch settings.protectHome {
        case .no: break
        case .yes: add("ProtectHome", 0, hidden, homes)
        case .readOnly: add("ProtectHome", 2, .readOnly, homes)
        case .tmpfs: add("ProtectHome", 1, .hidden(mode: 0o755, file: needs.emptyFile), homes)
        }
        switch settings.protectSystem {
        case .no: break
        case .yes, .full:
            let system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/boot", "/efi"]
            add("ProtectSystem", 2, .readOnly, optional(system + (settings.protectSystem == .full ? ["/etc"] : [])))
        case .strict:
            add("ProtectSystem", 2, .readOnly, [.init(path: "/", isOptional: false)])
            add("ProtectSystem", 4, .readWrite, optional(["/proc", "/sys", "/dev"]) + homes)
        }
        return entries
    }

    private func resolved(_ entries: [Entry]) throws(LaunchFailure) -> [Entry] {
        var found: [Entry] = []
        for var entry in entries {
            let real: String?
            do { real = try realPath(entry.path) } catch {
                throw failure(entry, error.errno, "\(error)", remedy: "look at the path and its permissions")
            }
            if let real {
                entry.path = real
                found.append(entry)
            } else if !entry.isOptional {
                throw failure(
                    entry, ErrorNumber.notFound, "there is no such file", remedy: "create it, or write - before it")
            }
        }
        return found
    }

    // MARK: Which of them have an effect

    private func reduced(_ entries: [Entry]) throws(LaunchFailure) -> [Entry] {
        let sorted = entries.map { (parts: Array($0.path.utf8.split(separator: UInt8(ascii: "/"))), entry: $0) }
            .sorted { first, second in
                if first.entry.path == second.entry.path { return first.entry.rank < second.entry.rank }
                return first.parts.lexicographicallyPrecedes(second.parts) { $0.lexicographicallyPrecedes($1) }
            }
        var kept: [Entry] = []
        var previous: String?
        for (_, entry) in sorted where previous != entry.path {
            previous = entry.path
            if try counts(entry, below: nearest(entry.path, kept)) { kept.append(entry) }
        }
        return kept
    }

    private func counts(_ entry: Entry, below above: Entry?) throws(LaunchFailure) -> Bool {
        switch (above?.kind, entry.kind) {
        case (.hidden?, _): return false
        case (.memory?, .hidden), (.directory?, .hidden): return false
        case (.memory?, _), (.directory?, _):
            if entry.isOptional { return false }
            throw failure(
                entry, ErrorNumber.notFound, "it lies in \(above?.path ?? ""), which is empty with PrivateTmp=",
                remedy: "remove one of the two, or write - before the path")
        case (.readOnly?, .readOnly), (.readWrite?, .readWrite), (.devices?, .readWrite), (nil, .readWrite):
            return false
        default: return true
        }
    }

    private func nearest(_ path: String, _ kept: [Entry]) -> Entry? { kept.last { Self.contains($0.path, path) } }

    /// The mount that keeps `path` as it is needed; `nil`: nothing changes it.
    private func keep(
        _ path: String, _ kind: LaunchSpecification.Mount.Kind, _ kept: inout [Entry]
    ) -> LaunchSpecification.Mount? {
        var mount = LaunchSpecification.Mount(kind, at: path)
        for index in kept.indices where kept[index].isCover && Self.contains(kept[index].path, path) {
            mount.isMade = true
            // What is kept below has to be reachable; nothing can be listed.
            if case .hidden(let mode, let file) = kept[index].kind {
                kept[index].kind = .hidden(mode: mode | 0o111, file: file)
            }
        }
        // A socket takes messages also where nothing can be written.
        let isSocket = path == needs.notifySocket
        switch (kind, nearest(path, kept)?.kind) {
        case (.credentials, _): return mount
        case (_, .readOnly?) where !isSocket: return mount
        default: return mount.isMade ? mount : nil
        }
    }

    private static func contains(_ directory: String, _ path: String) -> Bool {
        directory == "/" || path == directory || path.utf8.starts(with: (directory + "/").utf8)
    }

    private func failure(_ entry: Entry, _ errno: Int32, _ message: String, remedy: String) -> LaunchFailure {
        LaunchFailure(
            step: "sandbox", errno: errno, message: "\(entry.setting)=\(entry.path): \(message)", remedy: remedy)
    }
}
