public import CRecord

/// A launch specification as it came through the gate: checked once as a whole, then read in place.
///
/// fafd is trusted, yet a damaged specification must not start something else than what was asked for.
public struct Specification {
    public enum Problem: Error, Equatable, Sendable {
        case tooShort
        case notASpecification
        case otherVersion
        case wrongLength
        case wrongChecksum
        case brokenItem
        case missingItem
        case repeatedItem
        /// A signal, mode or type that there is not.
        case badCore
    }

    public let core: faf_spec_core
    /// The items, behind the header.
    private let items: UnsafeRawBufferPointer

    /// `bytes` has to stay as long as this value is used.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
        let header = try Specification.header(of: bytes)
        let headerSize = MemoryLayout<faf_spec_header>.size
        guard header.length == UInt64(bytes.count) else { throw .wrongLength }
        items = UnsafeRawBufferPointer(rebasing: bytes[headerSize...])
        guard faf_crc32(0, items.baseAddress, items.count) == header.crc else { throw .wrongChecksum }
        core = try Specification.checkedCore(of: items)
    }

    /// The header alone, also when the items lie elsewhere (a memfd).
    public static func header(of bytes: UnsafeRawBufferPointer) throws(Problem) -> faf_spec_header {
        guard bytes.count >= MemoryLayout<faf_spec_header>.size else { throw .tooShort }
        let header = bytes.loadUnaligned(as: faf_spec_header.self)
        guard header.magic == FAF_SPEC_MAGIC else { throw .notASpecification }
        guard header.version == FAF_SPEC_VERSION else { throw .otherVersion }
        guard header.length >= UInt64(MemoryLayout<faf_spec_header>.size), header.length <= UInt64(FAF_SPEC_MAX) else {
            throw .wrongLength
        }
        return header
    }

    /// Upper bound of what copies of all items need, with a NUL and a pointer for each.
    public var copySize: Int { items.count * 3 + 4096 }

    /// Calls `body` with tag and payload of each item, in order.
    public func forEach(_ body: (UInt32, UnsafeRawBufferPointer) -> Void) {
        var at = 0
        while let (tag, payload, next) = Specification.item(in: items, at: at) {
            body(tag, payload)
            at = next
        }
    }

    /// The first item with this tag.
    public func first(_ tag: faf_spec_tag) -> UnsafeRawBufferPointer? {
        var at = 0
        while let (found, payload, next) = Specification.item(in: items, at: at) {
            if found == tag.rawValue { return payload }
            at = next
        }
        return nil
    }

    public func has(_ flag: faf_spec_flag) -> Bool { core.flags & flag.rawValue != 0 }

    private static func item(
        in items: UnsafeRawBufferPointer, at offset: Int
    ) -> (tag: UInt32, payload: UnsafeRawBufferPointer, next: Int)? {
        let headSize = MemoryLayout<faf_spec_item>.size
        guard items.count - offset >= headSize else { return nil }
        let head = items.loadUnaligned(fromByteOffset: offset, as: faf_spec_item.self)
        let start = offset + headSize
        guard Int(head.length) <= items.count - start else { return nil }
        let next = start + (Int(head.length) + 7) & ~7
        guard next <= items.count else { return nil }
        return (head.tag, UnsafeRawBufferPointer(rebasing: items[start..<start + Int(head.length)]), next)
    }

    private static func checkedCore(of items: UnsafeRawBufferPointer) throws(Problem) -> faf_spec_core {
        var core: faf_spec_core?
        var seen: UInt64 = 0
        var at = 0
        while at < items.count {
            guard let (tag, payload, next) = item(in: items, at: at) else { throw .brokenItem }
            guard isWellFormed(tag, payload) else { throw .brokenItem }
            if tag < 64 {
                let bit = UInt64(1) << UInt64(tag)
                if seen & bit != 0 && !mayRepeat(tag) { throw .repeatedItem }
                seen |= bit
            }
            if tag == FAF_SPEC_CORE.rawValue { core = payload.loadUnaligned(as: faf_spec_core.self) }
            at = next
        }
        guard let core, has(seen, FAF_SPEC_RECORDS_DIR), has(seen, FAF_SPEC_ENDS_DIR), has(seen, FAF_SPEC_REAL_PATH),
            has(seen, FAF_SPEC_ARGUMENT)
        else { throw .missingItem }
        guard core.kill_signal >= 1, core.kill_signal <= 64, core.kill_mode <= FAF_KILL_NONE.rawValue,
            core.type <= FAF_TYPE_NOTIFY.rawValue, core.notify_access <= FAF_NOTIFY_ALL.rawValue
        else { throw .badCore }
        return core
    }

    private static func has(_ seen: UInt64, _ tag: faf_spec_tag) -> Bool { seen & (1 << UInt64(tag.rawValue)) != 0 }

    private static func mayRepeat(_ tag: UInt32) -> Bool {
        switch tag {
        case FAF_SPEC_ARGUMENT.rawValue, FAF_SPEC_ENVIRONMENT.rawValue, FAF_SPEC_GROUP.rawValue,
            FAF_SPEC_LIMIT.rawValue, FAF_SPEC_ALLOWED_DIR.rawValue, FAF_SPEC_SUCCESS_CODE.rawValue,
            FAF_SPEC_CGROUP_LIMIT.rawValue:
            return true
        default: return false
        }
    }

    private static func isWellFormed(_ tag: UInt32, _ payload: UnsafeRawBufferPointer) -> Bool {
        switch tag {
        case FAF_SPEC_CORE.rawValue: return payload.count >= MemoryLayout<faf_spec_core>.size
        case FAF_SPEC_GROUP.rawValue, FAF_SPEC_SUCCESS_CODE.rawValue: return payload.count == 4
        case FAF_SPEC_OOM_POLICY.rawValue:
            return payload.count == 4 && payload.loadUnaligned(as: UInt32.self) <= FAF_OOM_STOP.rawValue
        case FAF_SPEC_CGROUP_LIMIT.rawValue: return cgroupLimit(payload) != nil
        case FAF_SPEC_LIMIT.rawValue: return payload.count == MemoryLayout<faf_spec_limit>.size
        case FAF_SPEC_STREAMS.rawValue: return payload.count >= MemoryLayout<faf_spec_streams>.size
        case FAF_SPEC_TIMES.rawValue:
            guard payload.count >= MemoryLayout<faf_spec_times>.size else { return false }
            return payload.loadUnaligned(as: faf_spec_times.self).silence_action <= FAF_SILENCE_CONTINUE.rawValue
        case FAF_SPEC_SIGNALS.rawValue:
            guard payload.count >= MemoryLayout<faf_spec_signals>.size else { return false }
            let signals = payload.loadUnaligned(as: faf_spec_signals.self)
            return (1...64).contains(signals.final_kill) && (1...64).contains(signals.watchdog) && signals.restart <= 64
        case FAF_SPEC_ARGUMENT.rawValue, FAF_SPEC_ENVIRONMENT.rawValue: return isText(payload)
        case FAF_SPEC_IDENTIFIER.rawValue, FAF_SPEC_UNIT.rawValue:
            return payload.count < 4096 && isText(payload) && !hasNewline(payload)
        case FAF_SPEC_RECORDS_DIR.rawValue, FAF_SPEC_ENDS_DIR.rawValue, FAF_SPEC_NOTIFY_PATH.rawValue,
            FAF_SPEC_CGROUP.rawValue, FAF_SPEC_SCRIPT.rawValue, FAF_SPEC_REAL_PATH.rawValue, FAF_SPEC_CWD.rawValue,
            FAF_SPEC_ALLOWED_DIR.rawValue, FAF_SPEC_STDOUT.rawValue, FAF_SPEC_STDERR.rawValue,
            FAF_SPEC_IO_DIR.rawValue, FAF_SPEC_STDOUT_FILE.rawValue, FAF_SPEC_STDERR_FILE.rawValue,
            FAF_SPEC_JOURNAL.rawValue:
            return payload.count > 0 && payload.count < 4096 && payload[0] == 0x2F && isText(payload)
        case FAF_SPEC_SANDBOX.rawValue: return payload.count >= MemoryLayout<faf_spec_sandbox>.size
        case FAF_SPEC_MOUNT.rawValue: return SandboxItems.mount(payload) != nil
        case FAF_SPEC_CREDENTIAL.rawValue: return SandboxItems.credential(payload) != nil
        default: return true  // of a newer fafd: ORIGIN, or something that this shim cannot do yet
        }
    }

    /// Where the name of the file ends, behind which `=` and the value stand. A file of the attempt's own cgroup and of no
    /// other: names of the kernel have no slash.
    public static func cgroupLimit(_ payload: UnsafeRawBufferPointer) -> Int? {
        guard payload.count < 4096, isText(payload), !hasNewline(payload) else { return nil }
        for (index, byte) in payload.enumerated() {
            switch byte {
            case 0x3D: return index > 0 && index + 1 < payload.count ? index : nil
            case 0x61...0x7A, 0x5F: break
            case 0x2E where index > 0: break
            default: return nil
            }
        }
        return nil
    }

    private static func hasNewline(_ payload: UnsafeRawBufferPointer) -> Bool {
        for byte in payload where byte == 0x0A { return true }
        return false
    }

    private static func isText(_ payload: UnsafeRawBufferPointer) -> Bool {
        for byte in payload where byte == 0 { return false }
        return true
    }
}
