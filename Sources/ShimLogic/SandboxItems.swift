import CRecord

/// The items of a launch specification that make a sandbox, read in place: their texts are C strings as they lie there.
public enum SandboxItems {
    public struct Mount {
        public let kind, flags, mode: UInt32
        public let path, source: UnsafePointer<CChar>
    }

    public struct Credential {
        public let name: UnsafePointer<CChar>
        public let content: UnsafeRawBufferPointer
    }

    /// `nil`: not well formed, or a path that is not absolute.
    public static func mount(_ payload: UnsafeRawBufferPointer) -> Mount? {
        let size = MemoryLayout<faf_spec_mount>.size
        guard payload.count >= size else { return nil }
        let head = payload.loadUnaligned(as: faf_spec_mount.self)
        let texts = UnsafeRawBufferPointer(rebasing: payload[size...])
        let length = Int(head.path_length)
        guard length > 0, length < 4096, let path = text(texts, 0, length),
            let source = text(texts, length + 1, texts.count - length - 2), texts[0] == 0x2F,
            texts.count == length + 2 || texts[length + 1] == 0x2F
        else { return nil }
        return Mount(kind: head.kind, flags: head.flags, mode: head.mode, path: path, source: source)
    }

    /// `nil`: not well formed, or a name that is none of a file.
    public static func credential(_ payload: UnsafeRawBufferPointer) -> Credential? {
        var length = 0
        while length < payload.count, payload[length] != 0, payload[length] != 0x2F { length += 1 }
        let isDots = length <= 2 && !payload.prefix(length).contains { $0 != 0x2E }
        guard !isDots, length < 256, let name = text(payload, 0, length) else { return nil }
        return Credential(name: name, content: UnsafeRawBufferPointer(rebasing: payload[(length + 1)...]))
    }

    /// `length` bytes without a NUL among them, and a NUL behind.
    private static func text(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ length: Int
    ) -> UnsafePointer<CChar>? {
        guard length >= 0, start >= 0, start + length < bytes.count, bytes[start + length] == 0 else { return nil }
        for index in start..<start + length where bytes[index] == 0 { return nil }
        return bytes.baseAddress.map { ($0 + start).assumingMemoryBound(to: CChar.self) }
    }
}
