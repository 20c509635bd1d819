import CLinux
import CRecord

/// Pages for texts that have to be there as C strings: filled once, given back as a whole.
struct Arena {
    private let base: UnsafeMutableRawPointer
    private let size: Int
    private var used = 0

    init?(size: Int) {
        guard let base = faf_map(size) else { return nil }
        self.base = base
        self.size = size
    }

    func free() { faf_unmap(base, size) }

    /// `nil`: no room. Aligned for pointers.
    mutating func room(_ count: Int) -> UnsafeMutableRawPointer? {
        let start = (used + 7) & ~7
        guard count <= size - start else { return nil }
        used = start + count
        return base + start
    }

    mutating func copy(_ text: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
        guard let place = room(text.count + 1) else { return nil }
        if let source = text.baseAddress { place.copyMemory(from: source, byteCount: text.count) }
        place.storeBytes(of: 0, toByteOffset: text.count, as: UInt8.self)
        return UnsafePointer(place.assumingMemoryBound(to: CChar.self))
    }

    /// `directory/prefixNAMEsuffix`, where NAME is the attempt's invocation id as 32 hexadecimal digits.
    mutating func path(
        in directory: UnsafeRawBufferPointer, _ prefix: StaticString, _ core: faf_spec_core, _ suffix: StaticString
    ) -> UnsafePointer<CChar>? {
        let count = directory.count + 1 + prefix.utf8CodeUnitCount + 32 + suffix.utf8CodeUnitCount + 1
        guard let place = room(count), let source = directory.baseAddress else { return nil }
        let text = place.assumingMemoryBound(to: UInt8.self)
        place.copyMemory(from: source, byteCount: directory.count)
        var at = directory.count
        func put(_ byte: UInt8) {
            text[at] = byte
            at += 1
        }
        put(0x2F)
        for index in 0..<prefix.utf8CodeUnitCount { put(prefix.utf8Start[index]) }
        for half in 0..<2 {
            let value = half == 0 ? core.invocation_high : core.invocation_low
            for digit in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: value >> UInt64(60 - digit * 4)) & 15
                put(nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10)
            }
        }
        for index in 0..<suffix.utf8CodeUnitCount { put(suffix.utf8Start[index]) }
        put(0)
        return UnsafePointer(place.assumingMemoryBound(to: CChar.self))
    }

    /// An array of C strings that ends with NULL.
    mutating func pointers(_ count: Int) -> UnsafeMutablePointer<UnsafePointer<CChar>?>? {
        let size = (count + 1) * MemoryLayout<UnsafePointer<CChar>?>.stride
        return room(size)?.bindMemory(to: UnsafePointer<CChar>?.self, capacity: count + 1)
    }
}
