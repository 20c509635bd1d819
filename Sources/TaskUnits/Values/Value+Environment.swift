import UnitFile

extension Value {
    /// The values of all `Environment=` assignments, in order: `NAME=value`, a later NAME replaces the value in place,
    /// an empty assignment resets the list.
    ///
    /// `expand` resolves the specifiers of one word. What cannot be used is left out and told in `problems`: one word,
    /// or from a broken quote or escape on the rest of its assignment. Offsets count in the assignment they are from.
    public static func environment(
        _ assignments: [String], expand: (String) throws(ValueError) -> String
    ) -> (values: [String], problems: [ValueError]) {
        var list = EnvironmentList()
        var problems: [ValueError] = []
        for assignment in assignments {
            if assignment.isEmpty {
                list = EnvironmentList()
                continue
            }
            var reader = WordReader(assignment, escapes: .strict)
            do throws(ValueError) {
                while let word = try reader.next() {
                    do throws(ValueError) {
                        list.set(try environmentAssignment(expand(word.text())))
                    } catch {
                        problems.append(ValueError(message: error.message, remedy: error.remedy, offset: word.offset))
                    }
                }
            } catch {
                problems.append(error)
            }
        }
        return (list.assignments, problems)
    }

    /// Whether `name` can name a variable: `[A-Za-z_][A-Za-z0-9_]*`.
    public static func isEnvironmentName(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy(isNameByte)
    }

    /// Values can be secrets: a message names the variable at most.
    private static func environmentAssignment(_ word: String) throws(ValueError) -> String {
        let remedy = "write NAME=value, with quotes around the whole word if it has blanks: \"NAME=a value\""
        guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw ValueError(message: "a word without =", remedy: remedy)
        }
        let name = word[..<equals]
        guard isEnvironmentName(name) else {
            throw ValueError(message: "\(quoted(name)) cannot be a variable's name", remedy: remedy)
        }
        guard UnitFile.isText(word.utf8) else {
            throw ValueError(message: "the value of \(name) is not valid text", remedy: "write UTF-8")
        }
        return word
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: isDigit(byte)
        }
    }
}

/// `NAME=value` in order of first appearance.
struct EnvironmentList {
    private(set) var assignments: [String] = []
    private var places: [[UInt8]: Int] = [:]

    mutating func set(_ assignment: String) {
        let name = Array(assignment.utf8.prefix { $0 != UInt8(ascii: "=") })
        if let place = places[name] {
            assignments[place] = assignment
        } else {
            places[name] = assignments.count
            assignments.append(assignment)
        }
    }
}
