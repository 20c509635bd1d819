/// The command lines of `ExecStart=` and its like (systemd.service(5), “Command lines”). There is no shell anywhere.
public enum CommandLine {
    /// What one assignment gave.
    public struct Reading: Sendable, Hashable {
        public var commands: [ExecCommand] = []
        /// Escapes that were kept as they stand.
        public var warnings: [ValueError] = []
        /// Why commands with the `-` prefix were left out.
        public var leftOut: [ValueError] = []
    }

    /// The commands of all assignments of one setting in order; an empty assignment resets the list.
    ///
    /// `specifiers` resolves the specifiers of one word, after it has been unquoted.
    public static func parse(
        _ assignments: [String], specifiers: (String) throws(ValueError) -> String
    ) throws(ValueError) -> [ExecCommand] {
        var commands: [ExecCommand] = []
        for assignment in assignments {
            if assignment.isEmpty {
                commands = []
            } else {
                commands += try read(assignment, specifiers: specifiers).commands
            }
        }
        return commands
    }

    /// One assignment: one command, or several with a lone `;` between them.
    ///
    /// A command that cannot be read is an error; with the `-` prefix it and the rest of the assignment are left out,
    /// as systemd has it, and `leftOut` says so.
    public static func read(
        _ assignment: String, specifiers: (String) throws(ValueError) -> String
    ) throws(ValueError) -> Reading {
        var reading = Reading()
        var reader = WordReader(assignment, escapes: .lenient)
        reader.skip(0)
        while !reader.rest.isEmpty {
            var prefixes = Prefixes(reader.rest)
            do throws(ValueError) {
                if let command = try readCommand(&reader, &prefixes, specifiers, &reading.warnings) {
                    reading.commands.append(command)
                }
            } catch {
                guard prefixes.flags.contains(.ignoreFailure) else { throw error }
                reading.leftOut.append(error)
                break
            }
        }
        return reading
    }

    /// Reads up to the separator or the end. `nil`: there was only a separator.
    private static func readCommand(
        _ reader: inout WordReader, _ prefixes: inout Prefixes,
        _ specifiers: (String) throws(ValueError) -> String, _ warnings: inout [ValueError]
    ) throws(ValueError) -> ExecCommand? {
        guard let first = try reader.next() else { return nil }
        if first.bytes == [UInt8(ascii: ";")] { return nil }
        note(first, in: &warnings)
        // Prefixes count also when they are quoted or escaped.
        prefixes = Prefixes(first.bytes[...])
        let name = WordReader.Word(bytes: Array(first.bytes.dropFirst(prefixes.length)), offset: first.offset)
        let written = try expand(name, specifiers)
        try ExecutablePath.check(written, offset: first.offset)

        var argv = prefixes.takesFirstArgument ? [] : [written]
        words: while !reader.rest.isEmpty {
            switch reader.loneMark {
            case .separator:
                reader.skip(1)
                break words
            case .escapedSemicolon:
                argv.append(";")
                reader.skip(2)
            case .none:
                guard let word = try reader.next() else { break words }
                note(word, in: &warnings)
                argv.append(try expand(word, specifiers))
            }
        }
        if argv.isEmpty {
            throw ValueError(
                message: "there is no word for argv[0]", remedy: "write it behind the path, as the @ prefix wants it",
                offset: first.offset)
        }
        return ExecCommand(path: ExecutablePath.simplified(written), argv: argv, flags: prefixes.flags)
    }

    private static func expand(
        _ word: WordReader.Word, _ specifiers: (String) throws(ValueError) -> String
    ) throws(ValueError) -> String {
        let text = try word.text()
        do throws(ValueError) {
            return try specifiers(text)
        } catch {
            throw ValueError(message: error.message, remedy: error.remedy, offset: word.offset)
        }
    }

    private static func note(_ word: WordReader.Word, in warnings: inout [ValueError]) {
        guard let offset = word.unknownEscape else { return }
        warnings.append(
            ValueError(
                message: "an unknown escape is kept as it stands",
                remedy: "write \\\\ for a backslash, \\s for a blank, \\xHH for a byte", offset: offset))
    }
}

/// The prefixes of an executable, each at most once, in any order.
private struct Prefixes {
    var flags: Set<ExecCommand.Flag> = []
    var takesFirstArgument = false
    var length = 0

    init(_ word: some Sequence<UInt8>) {
        for byte in word {
            guard take(byte) else { break }
            length += 1
        }
    }

    /// `+`, `!` and `!!` exclude each other.
    private mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"): return flags.insert(.ignoreFailure).inserted
        case UInt8(ascii: ":"): return flags.insert(.noEnvironmentExpansion).inserted
        case UInt8(ascii: "@"):
            defer { takesFirstArgument = true }
            return !takesFirstArgument
        case UInt8(ascii: "+"):
            return flags.isDisjoint(with: [.privileged, .noSetuid, .ambient]) && flags.insert(.privileged).inserted
        case UInt8(ascii: "!"):
            if !flags.isDisjoint(with: [.privileged, .ambient]) { return false }
            if flags.remove(.noSetuid) != nil { return flags.insert(.ambient).inserted }
            return flags.insert(.noSetuid).inserted
        default: return false
        }
    }
}

extension WordReader {
    fileprivate enum Lone { case separator, escapedSemicolon, none }

    /// Whether the next word, unquoted, is exactly `;` or `\;`.
    fileprivate var loneMark: Lone {
        func endsWord(at index: Int) -> Bool {
            rest.count == index || isBlank(rest[rest.startIndex + index])
        }
        if rest.starts(with: ";".utf8), endsWord(at: 1) { return .separator }
        if rest.starts(with: "\\;".utf8), endsWord(at: 2) { return .escapedSemicolon }
        return .none
    }
}
