public import TaskModel

extension Value {
    /// The resources of getrlimit(2) by the kernel's numbers (all architectures but alpha, mips and sparc).
    public enum Resource: UInt32, Sendable, Hashable, CaseIterable {
        case cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, `as`, locks, sigpending, msgqueue, nice, rtprio
        case rttime

        /// `LimitNOFILE`.
        public var settingName: String { "Limit" + "\(self)".uppercased() }
    }

    /// A limit for soft and hard, or both as `soft:hard`; `infinity` for none. Sizes, times and counts by resource.
    public static func rlimit(
        _ text: String, resource: Resource
    ) throws(ValueError) -> TaskSettings.ResourceLimit {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // systemd does not see a colon behind the second limit.
        if parts.count == 3, parts[2].isEmpty { parts.removeLast() }
        guard parts.count <= 2, let first = parts.first else {
            throw ValueError(
                message: "\(quoted(text)) has more than two parts", remedy: "write one limit, or soft:hard")
        }
        let soft = try limit(String(first), resource)
        let hard = parts.count == 2 ? try limit(String(parts[1]), resource) : soft
        if soft > hard {
            throw ValueError(
                message: "the soft limit is above the hard limit in \(quoted(text))",
                remedy: "write the lower one first")
        }
        return .init(resource: resource.rawValue, soft: soft, hard: hard)
    }

    /// `UInt64.max` is RLIM_INFINITY, which only `infinity` may name.
    private static func limit(_ text: String, _ resource: Resource) throws(ValueError) -> UInt64 {
        if text == "infinity", resource != .nice { return .max }
        let number: UInt64
        switch resource {
        case .fsize, .data, .stack, .core, .rss, .as, .memlock, .msgqueue: number = try size(text)
        case .nofile, .nproc, .locks, .sigpending, .rtprio: number = try unsigned(text)
        case .nice: number = try niceLimit(text)
        case .cpu:
            guard case .microseconds(let time) = try timeSpan(text) else { return .max }
            number = time / 1_000_000 + (time % 1_000_000 == 0 ? 0 : 1)
        case .rttime:
            guard case .microseconds(let time) = try timeSpan(text, defaultUnitMicroseconds: 1) else { return .max }
            number = time
        }
        if number == .max { throw ValueError(message: "\(quoted(text)) is too large", remedy: "write infinity") }
        return number
    }

    /// With a sign a nice level, without one the kernel's 0...40 (40 is nice level -20).
    private static func niceLimit(_ text: String) throws(ValueError) -> UInt64 {
        switch text.utf8.first {
        case UInt8(ascii: "+"): 20 - (try unsigned(String(text.dropFirst()), upTo: 19))
        case UInt8(ascii: "-"): 20 + (try unsigned(String(text.dropFirst()), upTo: 20))
        default: try unsigned(text, upTo: 40)
        }
    }
}
