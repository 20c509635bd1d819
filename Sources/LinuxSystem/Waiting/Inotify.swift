internal import CLinux

/// An inotify instance (inotify(7)), non-blocking. The kernel allows few per user, so one watches directories.
public struct Inotify: ~Copyable, Sendable {
    public struct Mask: OptionSet, Sendable, Hashable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let modified = Mask(rawValue: FAFD_INOTIFY_MODIFY)
        public static let closedAfterWriting = Mask(rawValue: FAFD_INOTIFY_CLOSE_WRITE)
        public static let movedTo = Mask(rawValue: FAFD_INOTIFY_MOVED_TO)
        public static let created = Mask(rawValue: FAFD_INOTIFY_CREATE)
        public static let deleted = Mask(rawValue: FAFD_INOTIFY_DELETE)
        public static let deletedItself = Mask(rawValue: FAFD_INOTIFY_DELETE_SELF)
        /// Events were dropped: read everything again.
        public static let overflow = Mask(rawValue: FAFD_INOTIFY_OVERFLOW)
        public static let ignored = Mask(rawValue: FAFD_INOTIFY_IGNORED)
        public static let onlyDirectory = Mask(rawValue: FAFD_INOTIFY_ONLY_DIRECTORY)
    }

    public struct Event: Sendable, Hashable {
        public let watch: Int32
        public let mask: Mask
        /// The name in the watched directory, under which the writer had opened it; `nil` for the watched file itself.
        public let name: String?
    }

    public let descriptor: OwnedDescriptor

    public init() throws(SystemError) {
        descriptor = OwnedDescriptor(owning: try check(fafd_inotify(), "inotify_init1"))
    }

    /// Returns the watch's number, which events carry.
    @discardableResult
    public func watch(_ path: String, _ mask: Mask) throws(SystemError) -> Int32 {
        try refuseNUL(path, "inotify_add_watch")
        return try check(fafd_inotify_watch(descriptor.rawValue, path, mask.rawValue), "inotify_add_watch", path)
    }

    private static let bufferSize = 16384
    /// Its header, and a name of NAME_MAX bytes with its NUL.
    private static let longestEvent = 16 + 256

    /// All events that are there.
    public func events() throws(SystemError) -> [Event] {
        var events: [Event] = []
        while true {
            let bytes: [UInt8]
            do { bytes = try descriptor.read(maximum: Self.bufferSize) } catch  where error.errno == ErrorNumber.again {
                return events
            }
            if bytes.isEmpty { return events }
            Inotify.parse(bytes, into: &events)
            // Another one would have found room.
            if bytes.count <= Self.bufferSize - Self.longestEvent { return events }
        }
    }

    /// struct inotify_event: wd, mask, cookie, length of the name, then the name padded with NUL.
    static func parse(_ bytes: [UInt8], into events: inout [Event]) {
        var offset = 0
        func word(_ at: Int) -> UInt32 {
            UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
        }
        while bytes.count - offset >= 16 {
            let length = Int(word(offset + 12))
            guard length <= bytes.count - offset - 16 else { return }
            let name = bytes[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
            events.append(
                Event(
                    watch: Int32(bitPattern: word(offset)), mask: Mask(rawValue: word(offset + 4)),
                    name: name.isEmpty ? nil : String(decoding: name, as: UTF8.self)))
            offset += 16 + length
        }
    }
}
