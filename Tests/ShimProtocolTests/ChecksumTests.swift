import CRecord
import Testing

struct ChecksumTests {
    private func checksum(_ bytes: some Collection<UInt8>, from crc: UInt32 = 0) -> UInt32 {
        Array(bytes).withUnsafeBytes { faf_crc32(crc, $0.baseAddress, $0.count) }
    }

    /// The check value of CRC-32/ISO-HDLC, and the definition: one bit after another.
    @Test func `a checksum is the one that zlib makes, whatever pieces the bytes come in`() {
        #expect(checksum("123456789".utf8) == 0xCBF4_3926)
        let bytes = (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 3) }
        var expected = UInt32.max
        for byte in bytes {
            expected ^= UInt32(byte)
            for _ in 0..<8 { expected = expected >> 1 ^ (expected & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        for split in 0...bytes.count {
            #expect(checksum(bytes[split...], from: checksum(bytes[..<split])) == ~expected)
        }
    }
}
