import CRecord
import ShimProtocol
import TaskModel
import Testing

struct LaunchSpecificationTests {
    @Test func `a specification has its header, checksum and padded items`() throws {
        var specification = example
        specification.origin = [1, 2, 3]
        let bytes = try specification.encoded()
        #expect(bytes[0..<8].elementsEqual(Array("FAFSPEC\0".utf8)))
        #expect(word32(bytes, 8) == 1)
        #expect(word64(bytes, 16) == UInt64(bytes.count))
        let rest = Array(bytes[LaunchSpecification.headerLength...])
        #expect(word32(bytes, 12) == rest.withUnsafeBytes { faf_crc32(0, $0.baseAddress, $0.count) })
        #expect(bytes.count % 8 == 0)
        let items = try #require(parse(bytes))
        #expect(items.last?.tag == FAF_SPEC_ORIGIN.rawValue)
        #expect(items.last?.payload == [1, 2, 3])
        #expect(bytes.suffix(16).elementsEqual([16, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0]))
    }

    @Test func `where output goes is told apart from the supervisor's own log`() throws {
        func streams(
            _ output: TaskSettings.Output, _ errors: TaskSettings.Output, log: String? = nil
        ) throws -> (kinds: [UInt32], texts: [UInt32: String]) {
            var specification = example
            specification.standardOutput = log
            specification.streams = .init(
                output: output, errors: errors, journal: "/j/stdout", identifier: "t", mark: "m", levelPrefix: false)
            let items = try #require(parse(try specification.encoded()))
            let item = try #require(items.first { $0.tag == FAF_SPEC_STREAMS.rawValue }).payload
            let texts = items.filter { $0.tag > FAF_SPEC_STREAMS.rawValue }
                .map { ($0.tag, String(decoding: $0.payload, as: UTF8.self)) }
            return ([word32(item, 0), word32(item, 4), word32(item, 8)], Dictionary(uniqueKeysWithValues: texts))
        }
        let journal = [
            FAF_SPEC_JOURNAL.rawValue: "/j/stdout", FAF_SPEC_IDENTIFIER.rawValue: "t", FAF_SPEC_MARK.rawValue: "m",
        ]
        let both = try streams(.journal, .inherit)
        #expect(both.kinds == [FAF_STREAM_JOURNAL.rawValue, FAF_STREAM_SAME.rawValue, 0])
        #expect(both.texts == journal)
        // One open file, or each would overwrite the other's lines.
        let same = try streams(.truncate("/o"), .truncate("/o"))
        #expect(same.kinds == [FAF_STREAM_TRUNCATE.rawValue, FAF_STREAM_SAME.rawValue, 0])
        #expect(same.texts == journal.merging([FAF_SPEC_STDOUT_FILE.rawValue: "/o"]) { $1 })
        let log = try streams(.inherit, .append("/e"), log: "/l")
        #expect(log.kinds == [FAF_STREAM_LOG.rawValue, FAF_STREAM_APPEND.rawValue, 0])
        #expect(log.texts == journal.merging([FAF_SPEC_STDERR_FILE.rawValue: "/e"]) { $1 })
        #expect(try streams(.inherit, .null).kinds == [FAF_STREAM_NULL.rawValue, FAF_STREAM_NULL.rawValue, 0])
    }

    @Test func `every field is where the shim looks for it`() throws {
        var specification = example
        specification.allowedDirectories = ["/srv", "/opt"]
        specification.environment = ["A=1", "B="]
        specification.workingDirectory = "/w"
        specification.workingDirectoryIsOptional = true
        specification.groups = [5, 4_000_000_000]
        specification.changesUser = true
        specification.umask = 0o027
        specification.nice = -5
        specification.limits = [.init(resource: 7, soft: 1024, hard: UInt64.max)]
        specification.diesWithShim = true
        specification.cgroupLimits = [.init(file: "memory.max", value: "1"), .init(file: "cpu.max", value: "2 3")]
        specification.stopsOutOfMemory = true
        specification.kind = .notify
        specification.notifyAccess = .main
        specification.killMode = .mixed
        specification.killSignal = 2
        specification.sendSIGKILL = false
        specification.timeoutStart = .microseconds(7)
        specification.timeoutStop = .infinity
        specification.notifyPath = "/run/n"
        specification.cgroup = "/sys/c"
        specification.ioDirectory = "/io"
        specification.standardOutput = "/o"
        specification.standardError = "/e"
        let items = try #require(parse(try specification.encoded()))
        func texts(_ tag: faf_spec_tag) -> [String] {
            items.filter { $0.tag == tag.rawValue }.map { String(decoding: $0.payload, as: UTF8.self) }
        }
        #expect(texts(FAF_SPEC_RECORDS_DIR) == ["/run/faf/runs"])
        #expect(texts(FAF_SPEC_ENDS_DIR) == ["/var/lib/faf/ends"])
        #expect(texts(FAF_SPEC_NOTIFY_PATH) == ["/run/n"])
        #expect(texts(FAF_SPEC_CGROUP) == ["/sys/c"])
        #expect(texts(FAF_SPEC_SCRIPT) == ["/srv/current/x"])
        #expect(texts(FAF_SPEC_REAL_PATH) == ["/srv/releases/1/x"])
        #expect(texts(FAF_SPEC_ARGUMENT) == ["x", "--b=\n", ""])
        #expect(texts(FAF_SPEC_ENVIRONMENT) == ["A=1", "B="])
        #expect(texts(FAF_SPEC_CWD) == ["/w"])
        #expect(texts(FAF_SPEC_ALLOWED_DIR) == ["/srv", "/opt"])
        #expect(texts(FAF_SPEC_STDOUT) == ["/o"])
        #expect(texts(FAF_SPEC_STDERR) == ["/e"])
        #expect(texts(FAF_SPEC_IO_DIR) == ["/io"])
        #expect(texts(FAF_SPEC_CGROUP_LIMIT) == ["memory.max=1", "cpu.max=2 3"])
        #expect(
            items.filter { $0.tag == FAF_SPEC_OOM_POLICY.rawValue }.map(\.payload) == [
                [UInt8(FAF_OOM_STOP.rawValue), 0, 0, 0]
            ])
        #expect(items.filter { $0.tag == FAF_SPEC_GROUP.rawValue }.map { word32($0.payload, 0) } == [5, 4_000_000_000])
        let limit = try #require(items.first { $0.tag == FAF_SPEC_LIMIT.rawValue }).payload
        #expect(word32(limit, 0) == 7)
        #expect(word64(limit, 8) == 1024)
        #expect(word64(limit, 16) == UInt64.max)

        #expect(items.first?.tag == FAF_SPEC_CORE.rawValue)
        let core = try #require(items.first).payload.withUnsafeBytes { $0.loadUnaligned(as: faf_spec_core.self) }
        #expect(core.invocation_high == 0x1111)
        #expect(core.invocation_low == 0x2222)
        #expect(core.boot_high == 0x3333)
        #expect(core.boot_low == 0x4444)
        #expect(core.run == 17)
        #expect(core.attempt == 2)
        let flags: [faf_spec_flag] = [
            FAF_SPEC_NO_NEW_PRIVILEGES, FAF_SPEC_CHANGE_USER, FAF_SPEC_CWD_OPTIONAL, FAF_SPEC_SET_NICE,
            FAF_SPEC_DEATH_SIGNAL,
        ]
        #expect(core.flags == flags.reduce(0) { $0 | $1.rawValue })
        #expect(core.uid == 2001)
        #expect(core.gid == 2002)
        #expect(core.umask == 0o027)
        #expect(core.nice == -5)
        #expect(core.type == FAF_TYPE_NOTIFY.rawValue)
        #expect(core.notify_access == FAF_NOTIFY_MAIN.rawValue)
        #expect(core.kill_mode == FAF_KILL_MIXED.rawValue)
        #expect(core.kill_signal == 2)
        #expect(core.timeout_start_us == 7)
        #expect(core.timeout_stop_us == UInt64.max)
        #expect(core.script_device == 8)
        #expect(core.script_inode == 9)
        #expect(core.script_owner == 2001)
    }

    @Test func `times and signals are where the shim looks for them`() throws {
        var specification = example
        specification.timeoutStop = .microseconds(99)
        specification.times.runtimeMax = .microseconds(5)
        specification.times.runtimeRandomizedExtra = .microseconds(6)
        specification.times.silence = .microseconds(7)
        specification.times.silenceAction = .carryOn
        specification.signals.final = 3
        specification.signals.watchdog = 4
        specification.signals.restart = 10
        specification.signals.sendSIGHUP = true
        let items = try #require(parse(try specification.encoded()))
        let times = try #require(items.first { $0.tag == FAF_SPEC_TIMES.rawValue }).payload
        #expect((0..<5).map { word64(times, $0 * 8) } == [5, 6, UInt64.max, 7, 99])
        #expect(word32(times, 40) == FAF_SILENCE_CONTINUE.rawValue)
        let signals = try #require(items.first { $0.tag == FAF_SPEC_SIGNALS.rawValue }).payload
        #expect((0..<4).map { word32(signals, $0 * 4) } == [3, 4, 10, 1])
    }

    @Test func `what is not given is not there`() throws {
        let items = try #require(parse(try example.encoded()))
        let tags = Set(items.map(\.tag))
        for tag in [
            FAF_SPEC_NOTIFY_PATH, FAF_SPEC_CGROUP, FAF_SPEC_STDOUT, FAF_SPEC_STDERR, FAF_SPEC_IO_DIR,
            FAF_SPEC_CGROUP_LIMIT, FAF_SPEC_OOM_POLICY,
            FAF_SPEC_TIMES, FAF_SPEC_SIGNALS,
        ] {
            #expect(!tags.contains(tag.rawValue))
        }
        #expect(tags.contains(FAF_SPEC_ORIGIN.rawValue))
    }

    @Test func `a text with a NUL is refused by name and not shown`() {
        var specification = example
        specification.environment = ["SECRET=a\0b"]
        #expect(throws: SpecificationError.containsNUL("the environment variable SECRET")) {
            _ = try specification.encoded()
        }
        specification = example
        specification.arguments.append("\0")
        #expect(throws: SpecificationError.containsNUL("argument 3")) { _ = try specification.encoded() }
    }

    @Test func `argv is never empty, and not everything fits`() {
        var specification = example
        specification.arguments = []
        #expect(throws: SpecificationError.noArguments) { _ = try specification.encoded() }
        specification = example
        specification.attempt = -1
        #expect(throws: SpecificationError.attemptOutOfRange(-1)) { _ = try specification.encoded() }
        specification = example
        specification.origin = [UInt8](repeating: 0, count: LaunchSpecification.limit)
        #expect(throws: SpecificationError.self) { _ = try specification.encoded() }
    }
}

private let example = LaunchSpecification(
    run: RunID(rawValue: 17), attempt: 2, invocation: ID128(high: 0x1111, low: 0x2222),
    boot: ID128(high: 0x3333, low: 0x4444),
    script: CheckedScript(
        configuredPath: "/srv/current/x", realPath: "/srv/releases/1/x", device: 8, inode: 9, owner: 2001),
    arguments: ["x", "--b=\n", ""], uid: 2001, gid: 2002, recordsDirectory: "/run/faf/runs",
    endsDirectory: "/var/lib/faf/ends")

private func word32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: UInt32.self) }
}

private func word64(_ bytes: [UInt8], _ at: Int) -> UInt64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: UInt64.self) }
}

/// The items as the header describes them; `nil` if they do not fill the whole.
private func parse(_ bytes: [UInt8]) -> [(tag: UInt32, payload: [UInt8])]? {
    var items: [(tag: UInt32, payload: [UInt8])] = []
    var at = LaunchSpecification.headerLength
    while at < bytes.count {
        guard bytes.count - at >= 8 else { return nil }
        let length = Int(word32(bytes, at + 4))
        guard bytes.count - at - 8 >= (length + 7) & ~7 else { return nil }
        items.append((word32(bytes, at), Array(bytes[(at + 8)..<(at + 8 + length)])))
        at += 8 + (length + 7) & ~7
    }
    return items
}
