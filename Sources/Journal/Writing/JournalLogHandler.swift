internal import LinuxSystem
public import Logging

/// Log messages as entries of the journal. Metadata whose names are in capitals become fields of their own; the rest is
/// put behind the message.
public struct JournalLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level = .info
    private let socket: JournalSocket

    public init(socket: JournalSocket) { self.socket = socket }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let plain = all.filter { !Self.isField($0.key) }.map { "\($0.key)=\($0.value)" }
        var entry = JournalEntry()
        entry.add("MESSAGE", ([event.message.description] + plain).joined(separator: " "))
        entry.add("PRIORITY", Self.priority(event.level))
        entry.add("SYSLOG_IDENTIFIER", "fafd")
        for (name, value) in all where Self.isField(name) { entry.add(name, value.description) }
        socket.send(entry)
    }

    /// Names in capitals are the journal's.
    public static func isField(_ name: String) -> Bool {
        name.utf8.allSatisfy { !(97...122).contains($0) }
    }

    /// syslog(3).
    private static func priority(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "7"
        case .info: "6"
        case .notice: "5"
        case .warning: "4"
        case .error: "3"
        case .critical: "2"
        }
    }

    /// Whether standard error is the journal already, so that entries may as well have fields (systemd.exec(5),
    /// $JOURNAL_STREAM).
    public static func isStandardError(_ environment: [String: String]) -> Bool {
        guard let text = environment["JOURNAL_STREAM"],
            let status = (try? FileStatus.of(path: "/proc/self/fd/2")) ?? nil
        else { return false }
        return text == "\(status.device):\(status.inode)"
    }
}

/// Standard error without the fields that only the journal shows.
public struct StandardErrorHandler: LogHandler {
    private var stream: StreamLogHandler

    public init(label: String) { stream = StreamLogHandler.standardError(label: label) }

    public var metadata: Logger.Metadata {
        get { stream.metadata }
        set { stream.metadata = newValue }
    }
    public var metadataProvider: Logger.MetadataProvider? {
        get { stream.metadataProvider }
        set { stream.metadataProvider = newValue }
    }
    public var logLevel: Logger.Level {
        get { stream.logLevel }
        set { stream.logLevel = newValue }
    }
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { stream[metadataKey: key] }
        set { stream[metadataKey: key] = newValue }
    }

    public func log(event: LogEvent) {
        var event = event
        event.metadata = event.metadata?.filter { !JournalLogHandler.isField($0.key) }
        stream.log(event: event)
    }
}
