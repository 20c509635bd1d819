import CRecord
import Testing

@testable import ShimLogic

struct SpecificationTests {
    private typealias Item = (tag: UInt32, payload: [UInt8])

    private func core(_ change: (inout faf_spec_core) -> Void = { _ in }) -> [UInt8] {
        var core = faf_spec_core()
        core.run = 17
        core.uid = 2001
        core.kill_signal = 15
        change(&core)
        core.flags = FAF_SPEC_SEND_SIGKILL.rawValue
        return withUnsafeBytes(of: core) { [UInt8]($0) }
    }

    private func good() -> [Item] {
        [
            (FAF_SPEC_CORE.rawValue, core()), (FAF_SPEC_RECORDS_DIR.rawValue, Array("/run/faf/runs".utf8)),
            (FAF_SPEC_ENDS_DIR.rawValue, Array("/var/lib/faf/ends".utf8)),
            (FAF_SPEC_REAL_PATH.rawValue, Array("/srv/t".utf8)), (FAF_SPEC_ARGUMENT.rawValue, Array("/srv/t".utf8)),
            (FAF_SPEC_ARGUMENT.rawValue, []), (FAF_SPEC_ENVIRONMENT.rawValue, Array("A=1".utf8)),
            (FAF_SPEC_GROUP.rawValue, [1, 2, 0, 0]),
        ]
    }

    private func encode(_ items: [Item], version: UInt32 = FAF_SPEC_VERSION) -> [UInt8] {
        var body: [UInt8] = []
        for item in items {
            withUnsafeBytes(of: faf_spec_item(tag: item.tag, length: UInt32(item.payload.count))) { body += $0 }
            body += item.payload + [UInt8](repeating: 0, count: (8 - item.payload.count % 8) % 8)
        }
        let header = faf_spec_header(
            magic: FAF_SPEC_MAGIC, version: version, crc: faf_crc32(0, body, body.count),
            length: UInt64(MemoryLayout<faf_spec_header>.size + body.count))
        return withUnsafeBytes(of: header) { [UInt8]($0) } + body
    }

    private func problem(_ bytes: [UInt8]) -> Specification.Problem? {
        bytes.withUnsafeBytes { buffer in
            do throws(Specification.Problem) {
                _ = try Specification(buffer)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test func `items come back in order`() throws {
        let bytes = encode(good())
        try bytes.withUnsafeBytes { buffer in
            let specification = try Specification(buffer)
            #expect(specification.core.run == 17 && specification.core.uid == 2001)
            #expect(specification.has(FAF_SPEC_SEND_SIGKILL) && !specification.has(FAF_SPEC_CHANGE_USER))
            var seen: [UInt32] = []
            specification.forEach { tag, _ in seen.append(tag) }
            #expect(seen == good().map(\.tag))
            #expect(specification.first(FAF_SPEC_REAL_PATH).map { [UInt8]($0) } == Array("/srv/t".utf8))
            #expect(specification.first(FAF_SPEC_CWD) == nil)
        }
    }

    @Test func `an unknown item of a newer fafd is passed over`() {
        #expect(problem(encode(good() + [(61, [1, 2, 3]), (4000, [])])) == nil)
        // And a core that has grown.
        var items = good()
        items[0].payload += [UInt8](repeating: 1, count: 16)
        #expect(problem(encode(items)) == nil)
    }

    @Test func `a limit names a file of the cgroup, and none elsewhere`() {
        func end(_ text: String) -> Int? { Array(text.utf8).withUnsafeBytes { Specification.cgroupLimit($0) } }
        #expect(end("memory.max=50331648") == 10)
        #expect(end("memory.swap.max=0") == 15)
        #expect(end("cpu.max=20000 100000") == 7)
        #expect(end("io.weight=default 50") == 9)
        for bad in [
            "", "=", "=1", "memory.max", "memory.max=", "../x=1", "/x=1", ".x=1", "a/b=1", "a b=1", "a=1\n", "a=\0",
            "A=1",
        ] {
            #expect(end(bad) == nil, "\(bad)")
            #expect(problem(encode(good() + [(FAF_SPEC_CGROUP_LIMIT.rawValue, Array(bad.utf8))])) == .brokenItem)
        }
        let limit: Item = (FAF_SPEC_CGROUP_LIMIT.rawValue, Array("pids.max=5".utf8))
        #expect(problem(encode(good() + [limit, limit])) == nil)
        let policy: Item = (FAF_SPEC_OOM_POLICY.rawValue, [1, 0, 0, 0])
        #expect(problem(encode(good() + [policy])) == nil)
        #expect(problem(encode(good() + [policy, policy])) == .repeatedItem)
        #expect(problem(encode(good() + [(FAF_SPEC_OOM_POLICY.rawValue, [2, 0, 0, 0])])) == .brokenItem)
    }

    @Test func `damage is named`() {
        let bytes = encode(good())
        #expect(problem([]) == .tooShort)
        #expect(problem(Array(bytes.prefix(23))) == .tooShort)
        #expect(problem(Array(bytes.dropLast())) == .wrongLength)
        #expect(problem(bytes + [0]) == .wrongLength)
        #expect(problem(encode(good(), version: 2)) == .otherVersion)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x40
            #expect(problem(changed) != nil, "byte \(index)")
        }
    }

    @Test func `what must be there is asked for`() {
        for tag in [FAF_SPEC_CORE, FAF_SPEC_RECORDS_DIR, FAF_SPEC_ENDS_DIR, FAF_SPEC_REAL_PATH, FAF_SPEC_ARGUMENT] {
            #expect(problem(encode(good().filter { $0.tag != tag.rawValue })) == .missingItem)
        }
    }

    @Test func `what may be there once is not taken twice`() {
        for tag in [FAF_SPEC_CORE, FAF_SPEC_RECORDS_DIR, FAF_SPEC_ENDS_DIR, FAF_SPEC_REAL_PATH] {
            let again = good().filter { $0.tag == tag.rawValue }
            #expect(problem(encode(good() + again)) == .repeatedItem)
        }
    }

    @Test func `signals, modes and types that there are not are refused`() {
        let changes: [(inout faf_spec_core) -> Void] = [
            { $0.kill_signal = 0 }, { $0.kill_signal = 65 }, { $0.kill_signal = .max }, { $0.kill_mode = 4 },
            { $0.type = 2 }, { $0.notify_access = 4 },
        ]
        for change in changes {
            var items = good()
            items[0].payload = core(change)
            #expect(problem(encode(items)) == .badCore)
        }
    }

    @Test func `broken items are refused`() {
        let bad: [Item] = [
            (FAF_SPEC_CORE.rawValue, [0]), (FAF_SPEC_ARGUMENT.rawValue, [0x61, 0]), (FAF_SPEC_CWD.rawValue, []),
            (FAF_SPEC_CWD.rawValue, Array("relative".utf8)), (FAF_SPEC_GROUP.rawValue, [1, 2, 3]),
            (FAF_SPEC_LIMIT.rawValue, [1]), (FAF_SPEC_NOTIFY_PATH.rawValue, [0x2F, 0]),
            (FAF_SPEC_CWD.rawValue, [UInt8](repeating: 0x2F, count: 4096)),
        ]
        for item in bad { #expect(problem(encode(good() + [item])) == .brokenItem, "\(item)") }
    }

    @Test func `a signal or an action that there is not is refused`() {
        func words(_ values: UInt32...) -> [UInt8] {
            values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
        }
        let head = [UInt32](repeating: 0, count: 10).flatMap { value in words(value) }
        let good: [Item] = [
            (FAF_SPEC_SIGNALS.rawValue, words(9, 6, 0, 1)), (FAF_SPEC_TIMES.rawValue, head + words(2, 0)),
        ]
        #expect(problem(encode(self.good() + good)) == nil)
        let bad: [Item] = [
            (FAF_SPEC_SIGNALS.rawValue, words(0, 6, 0, 1)), (FAF_SPEC_SIGNALS.rawValue, words(65, 6, 0, 1)),
            (FAF_SPEC_SIGNALS.rawValue, words(9, 0, 0, 1)), (FAF_SPEC_SIGNALS.rawValue, words(9, 6, 65, 1)),
            (FAF_SPEC_SIGNALS.rawValue, words(9, 6)), (FAF_SPEC_TIMES.rawValue, head + words(3, 0)),
            (FAF_SPEC_TIMES.rawValue, head),
        ]
        for item in bad { #expect(problem(encode(self.good() + [item])) == .brokenItem, "\(item)") }
    }

    @Test func `any items with a right checksum are read without a trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            var items = good()
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let payload = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                items.insert(
                    (UInt32.random(in: 0...25, using: &generator), payload), at: items.indices.randomElement() ?? 0)
            }
            var bytes = encode(items)
            // A length that does not fit, under a checksum that does.
            if Bool.random(using: &generator), bytes.count > 40 {
                let at = Int.random(in: 24..<bytes.count, using: &generator)
                bytes[at] = UInt8.random(in: 0...255, using: &generator)
                let crc = bytes[24...].withUnsafeBytes { faf_crc32(0, $0.baseAddress, $0.count) }
                withUnsafeBytes(of: crc) { for index in 0..<4 { bytes[12 + index] = $0[index] } }
            }
            bytes.withUnsafeBytes { buffer in
                guard let specification = try? Specification(buffer) else { return }
                specification.forEach { _, payload in
                    #expect(payload.count <= buffer.count)
                }
            }
        }
    }
}
