import UnitFile

extension Value {
    /// The assignments of an `EnvironmentFile=`, in file order; a later one replaces the value of its name in place. Names
    /// are not checked: whoever uses them leaves out those that are not `isEnvironmentName`.
    ///
    /// The syntax is its own (systemd.exec(5)): see `EnvironmentFileReader`.
    public static func environmentFile(_ bytes: [UInt8]) throws(ValueError) -> [(name: String, value: String)] {
        var reader = EnvironmentFileReader()
        for (offset, byte) in bytes.enumerated() {
            if byte == 0 {
                throw ValueError(message: "a NUL byte", remedy: "save the file as text", offset: offset)
            }
            reader.read(byte)
        }
        reader.finish()
        var assignments: [(name: String, value: String)] = []
        var places: [[UInt8]: Int] = [:]
        for (nameBytes, value) in reader.assignments {
            guard UnitFile.isText(nameBytes) else {
                throw ValueError(message: "a name that is not UTF-8", remedy: "save the file as UTF-8")
            }
            let name = String(decoding: nameBytes, as: UTF8.self)
            guard UnitFile.isText(value) else {
                throw ValueError(message: "the value of \(quoted(name)) is not UTF-8", remedy: "save the file as UTF-8")
            }
            let assignment = (name: name, value: String(decoding: value, as: UTF8.self))
            if let place = places[nameBytes] {
                assignments[place] = assignment
            } else {
                places[nameBytes] = assignments.count
                assignments.append(assignment)
            }
        }
        return assignments
    }
}

/// The machine behind `EnvironmentFile=`, one byte at a time.
///
///     beforeKey ──► key ──=──► beforeValue ──► value ◄──► escape
///        │                      │  ▲  │
///        ▼                      ▼  │  ▼
///     comment ◄─► escape   single  double ◄──► escape
///
/// A quote counts only before a value or right after another quoted part; what follows a closing quote is appended.
/// A line end closes the assignment, except inside quotes or after a backslash.
private struct EnvironmentFileReader {
    private enum State {
        case beforeKey, key, beforeValue, value, valueEscape, single, double, doubleEscape, comment, commentEscape
    }

    private(set) var assignments: [(name: [UInt8], value: [UInt8])] = []
    private var state = State.beforeKey
    private var name: [UInt8] = []
    private var value: [UInt8] = []
    /// Length of the value without the unprotected blanks at its end.
    private var kept = 0

    mutating func read(_ byte: UInt8) {
        let isLineEnd = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        switch state {
        case .beforeKey:
            if byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
                state = .comment
            } else if !isBlank(byte) {
                name = [byte]
                state = .key
            }
        case .key:
            if isLineEnd {
                state = .beforeKey
            } else if byte == UInt8(ascii: "=") {
                value = []
                kept = 0
                state = .beforeValue
            } else {
                name.append(byte)
            }
        case .beforeValue:
            if isLineEnd {
                kept = value.count
                push()
            } else if byte == UInt8(ascii: "'") {
                state = .single
            } else if byte == UInt8(ascii: "\"") {
                state = .double
            } else if byte == UInt8(ascii: "\\") {
                state = .valueEscape
            } else if !isBlank(byte) {
                keep(byte)
                state = .value
            }
        case .value:
            if isLineEnd {
                push()
            } else if byte == UInt8(ascii: "\\") {
                kept = value.count
                state = .valueEscape
            } else if isBlank(byte) {
                value.append(byte)
            } else {
                keep(byte)
            }
        case .valueEscape:
            if !isLineEnd { keep(byte) }
            state = .value
        case .single:
            if byte == UInt8(ascii: "'") { state = .beforeValue } else { keep(byte) }
        case .double:
            if byte == UInt8(ascii: "\"") {
                state = .beforeValue
            } else if byte == UInt8(ascii: "\\") {
                state = .doubleEscape
            } else {
                keep(byte)
            }
        case .doubleEscape:
            if !"\"\\`$\n".utf8.contains(byte) { keep(UInt8(ascii: "\\")) }
            if byte != UInt8(ascii: "\n") { keep(byte) }
            state = .double
        case .comment:
            if byte == UInt8(ascii: "\\") { state = .commentEscape } else if isLineEnd { state = .beforeKey }
        case .commentEscape:
            // Before systemd 254 a backslash continued a comment.
            state = isLineEnd ? .beforeKey : .comment
        }
    }

    /// The end of the file closes an open assignment, also inside quotes.
    mutating func finish() {
        switch state {
        case .beforeKey, .key, .comment, .commentEscape: break
        case .value: push()
        case .beforeValue, .valueEscape, .single, .double, .doubleEscape:
            kept = value.count
            push()
        }
    }

    private mutating func keep(_ byte: UInt8) {
        value.append(byte)
        kept = value.count
    }

    private mutating func push() {
        let end = name.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? 0
        assignments.append((Array(name[..<end]), Array(value[..<kept])))
        state = .beforeKey
    }
}
