extension CommandLine {
    /// Replaces variables at run time. `environment` is `NAME=value`, the last of equal names counts.
    ///
    /// A word `$NAME` becomes the words of its value, none if it is unset. `${NAME}` inside a word becomes its value as it
    /// is. `$$` is a dollar. Everything else stays, and values are never expanded again.
    public static func expand(_ words: [String], environment: [String]) -> [String] {
        var values: [ArraySlice<UInt8>: ArraySlice<UInt8>] = [:]
        for assignment in environment {
            let bytes = Array(assignment.utf8)[...]
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")), equals > bytes.startIndex else { continue }
            values[bytes[..<equals]] = bytes[(equals + 1)...]
        }
        return words.flatMap { word -> [String] in
            let bytes = Array(word.utf8)[...]
            if bytes.first == dollar, bytes.dropFirst().first != dollar, bytes.dropFirst().first != openBrace {
                return split(values[bytes.dropFirst()] ?? [])
            }
            return [String(decoding: replaced(bytes, values), as: UTF8.self)]
        }
    }

    /// Quotes in the value are honoured; a backslash protects the next byte.
    private static func split(_ value: ArraySlice<UInt8>) -> [String] {
        var reader = WordReader(String(decoding: value, as: UTF8.self), escapes: .protecting)
        var words: [String] = []
        while let word = try? reader.next() { words.append(String(decoding: word.bytes, as: UTF8.self)) }
        return words
    }

    private static func replaced(
        _ word: ArraySlice<UInt8>, _ values: [ArraySlice<UInt8>: ArraySlice<UInt8>]
    ) -> [UInt8] {
        var result: [UInt8] = []
        var index = word.startIndex
        while index < word.endIndex {
            let next = index + 1 < word.endIndex ? word[index + 1] : 0
            guard word[index] == dollar, next != 0 else {
                result.append(word[index])
                index += 1
                continue
            }
            if next == openBrace {
                let name = word[(index + 2)...].prefix { $0 != UInt8(ascii: "}") && $0 != UInt8(ascii: ":") }
                if name.endIndex < word.endIndex, word[name.endIndex] == UInt8(ascii: "}") {
                    result += values[name] ?? []
                } else {
                    // `${A:-b}` is no syntax here, and an open `${` takes the rest along.
                    result += word[index..<min(name.endIndex + 1, word.endIndex)]
                }
                index = name.endIndex + 1
            } else if next == dollar {
                result.append(dollar)
                index += 2
            } else {
                // A dollar takes the byte behind it along: in `$a$`, as in systemd, nothing is special.
                result += [dollar, next]
                index += 2
            }
        }
        return result
    }

    private static let dollar = UInt8(ascii: "$")
    private static let openBrace = UInt8(ascii: "{")
}
