internal import CRecord

/// The bytes of a C struct as they lie in memory: that is the format, on little-endian machines.
func rawBytes<Value: BitwiseCopyable>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

/// Continues from `crc`; start with 0.
func crc32(_ bytes: ArraySlice<UInt8>, from crc: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { faf_crc32(crc, $0.baseAddress, $0.count) }
}

/// Of the bytes of a C struct, without a copy of them on the heap.
func crc32<Value: BitwiseCopyable>(of value: Value) -> UInt32 {
    withUnsafeBytes(of: value) { faf_crc32(0, $0.baseAddress, $0.count) }
}

/// Reads a C struct that begins at `offset`; `nil` if it does not lie within `bytes`.
func load<Value: BitwiseCopyable>(_ type: Value.Type, from bytes: ArraySlice<UInt8>, at offset: Int = 0) -> Value? {
    guard offset >= 0, bytes.count - offset >= MemoryLayout<Value>.size else { return nil }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
}
