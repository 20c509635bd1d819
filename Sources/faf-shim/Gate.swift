import CLinux
import CRecord

/// A step of a launch that failed, as it is told to fafd and recorded.
struct StepFailure: Error {
    var step: faf_step
    var error: Int32
    /// Which of several, from 0.
    var item: Int32

    init(_ step: faf_step, _ error: Int32, item: Int32 = 0) {
        self.step = step
        self.error = error
        self.item = item
    }
}

/// The shim's end of the socketpair over which it is told what to run, and when.
struct Gate {
    let fd: Int32

    /// Where a specification lies: pages that are given back once the script runs.
    struct Pages {
        var bytes: UnsafeRawBufferPointer
        var base: UnsafeMutableRawPointer
        var size: Int
    }

    func fail(_ failure: StepFailure) {
        reply(
            faf_gate_reply(
                kind: FAF_GATE_FAILED.rawValue, step: failure.step.rawValue, error: failure.error, pid: failure.item))
    }

    func isReady() {
        reply(faf_gate_reply(kind: FAF_GATE_READY.rawValue, step: 0, error: 0, pid: faf_self()))
    }

    private func reply(_ reply: faf_gate_reply) {
        var reply = reply
        // If fafd is gone the end of file says so next.
        _ = faf_send(fd, &reply, MemoryLayout<faf_gate_reply>.size)
    }

    /// True on the go; false when fafd will never send it.
    func waitForGo() -> Bool {
        var word: UInt8 = 0
        var stray: Int32 = -1
        var isTruncated: Int32 = 0
        let count = faf_receive(fd, &word, 1, &stray, &isTruncated)
        faf_close(stray)
        return count == 1 && word == UInt8(FAF_GATE_GO) && isTruncated == 0
    }

    /// `nil`: fafd left before it sent one.
    func receiveSpecification() throws(StepFailure) -> Pages? {
        let size = Int(FAF_SPEC_INLINE_MAX)
        guard let base = faf_map(size) else { throw StepFailure(FAF_STEP_SPECIFICATION, FAF_ENOMEM) }
        var memory: Int32 = -1
        var isTruncated: Int32 = 0
        let count = faf_receive(fd, base, size, &memory, &isTruncated)
        if count == 0 { return nil }
        guard count > 0, isTruncated == 0 else {
            throw StepFailure(FAF_STEP_SPECIFICATION, count < 0 ? Int32(-count) : FAF_EMSGSIZE)
        }
        let bytes = UnsafeRawBufferPointer(start: base, count: count)
        guard memory >= 0 else { return Pages(bytes: bytes, base: base, size: size) }

        defer {
            faf_close(memory)
            faf_unmap(base, size)
        }
        let seals = faf_check_seals(memory)
        guard seals == 0 else { throw StepFailure(FAF_STEP_SPECIFICATION, -seals) }
        guard let header = try? Specification.header(of: bytes), let length = Int(exactly: header.length),
            faf_file_size(memory) == Int64(length)
        else { throw StepFailure(FAF_STEP_SPECIFICATION, FAF_EBADMSG) }
        var error: Int32 = 0
        guard let mapped = faf_map_file(memory, length, &error) else {
            throw StepFailure(FAF_STEP_SPECIFICATION, error)
        }
        return Pages(bytes: UnsafeRawBufferPointer(start: mapped, count: length), base: mapped, size: length)
    }
}
