/// A line of a notify datagram, or the value in it. Bytes only: this also compiles in Embedded Swift, where String
/// cannot be compared.
struct NotifyText {
    var bytes: UnsafeRawBufferPointer
    var range: Range<Int>

    func isExactly(_ line: StaticString) -> Bool {
        range.count == line.utf8CodeUnitCount && starts(with: line)
    }

    /// What follows `key` (with its `=`); `nil` if the line is another one.
    func value(of key: StaticString) -> NotifyText? {
        guard starts(with: key) else { return nil }
        return NotifyText(bytes: bytes, range: range.lowerBound + key.utf8CodeUnitCount..<range.upperBound)
    }

    private func starts(with prefix: StaticString) -> Bool {
        let count = prefix.utf8CodeUnitCount
        guard range.count >= count else { return false }
        for index in 0..<count where bytes[range.lowerBound + index] != prefix.utf8Start[index] { return false }
        return true
    }

    func number(upTo limit: UInt64) -> Int32? {
        guard let value = decimal, value <= limit else { return nil }
        return Int32(exactly: value)
    }

    /// `done/total`.
    var progress: NotifyMessage.Progress? {
        var slash = range.lowerBound
        while slash < range.upperBound && bytes[slash] != 0x2F { slash += 1 }
        guard slash < range.upperBound,
            let done = NotifyText(bytes: bytes, range: range.lowerBound..<slash).decimal,
            let total = NotifyText(bytes: bytes, range: slash + 1..<range.upperBound).decimal
        else { return nil }
        return NotifyMessage.Progress(done: done, total: total)
    }

    /// Decimal digits and nothing else.
    var decimal: UInt64? {
        guard !range.isEmpty else { return nil }
        var value: UInt64 = 0
        for index in range {
            guard bytes[index] >= 0x30, bytes[index] <= 0x39 else { return nil }
            let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = tens.addingReportingOverflow(UInt64(bytes[index] - 0x30))
            if overflows || overflowsToo { return nil }
            value = sum
        }
        return value
    }

    /// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
    var isUTF8: Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let first = bytes[index]
            let count: Int
            var low: UInt8 = 0x80
            var high: UInt8 = 0xBF
            switch first {
            case 0x00...0x7F: count = 0
            case 0xC2...0xDF: count = 1
            case 0xE0: (count, low) = (2, 0xA0)
            case 0xED: (count, high) = (2, 0x9F)
            case 0xE1...0xEF: count = 2
            case 0xF0: (count, low) = (3, 0x90)
            case 0xF1...0xF3: count = 3
            case 0xF4: (count, high) = (3, 0x8F)
            default: return false
            }
            guard range.upperBound - index > count else { return false }
            if count > 0 {
                guard bytes[index + 1] >= low, bytes[index + 1] <= high else { return false }
                for offset in 1...count where bytes[index + offset] & 0xC0 != 0x80 { return false }
            }
            index += count + 1
        }
        return true
    }
}
