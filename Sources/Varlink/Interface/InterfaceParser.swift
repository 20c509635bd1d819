extension InterfaceDescription {
    /// Reads the text of a `.varlink` file. Every type that is named must be there, every name once.
    public init(parsing text: String) throws(InterfaceError) {
        var parser = InterfaceParser(text)
        self = try parser.interface()
    }

    /// Reads the bytes of a `.varlink` file.
    public init(parsing bytes: [UInt8]) throws(InterfaceError) {
        let text: String
        do throws(UTF8.ValidationError) {
            text = String(copying: try UTF8Span(validating: bytes.span))
        } catch {
            var scanner = InterfaceScanner(Array(bytes[..<error.byteOffsets.lowerBound]))
            while !scanner.isAtEnd { scanner.step() }
            throw scanner.error("this is not UTF-8")
        }
        try self.init(parsing: text)
    }
}

/// The grammar of https://varlink.org/Interface-Definition, and `any` of newer descriptions.
private struct InterfaceParser {
    typealias TypeExpression = InterfaceDescription.TypeExpression
    typealias Field = InterfaceDescription.Field
    typealias Member = InterfaceDescription.Member

    private let text: String
    private var scanner: InterfaceScanner
    private var depth = 0
    /// Types that were used, with the place of their first use.
    private var uses: [(name: String, place: InterfaceError)] = []

    /// Levels of parentheses, arrays and so on in one type; the parser calls itself for each.
    private static let depthLimit = 64

    init(_ text: String) {
        self.text = text
        scanner = InterfaceScanner(Array(text.utf8))
    }

    mutating func interface() throws(InterfaceError) -> InterfaceDescription {
        scanner.skipBlank()
        let documentation = scanner.takeComments()
        guard scanner.word() == "interface" else { throw scanner.error("a description starts with 'interface NAME'") }
        let name = try interfaceName()
        var members: [Member] = []
        var names: Set<String> = []
        while true {
            scanner.skipBlank()
            if scanner.isAtEnd { break }
            guard scanner.isOnNewLine else { throw scanner.error("a line end is needed, not \(scanner.found)") }
            let place = scanner.mark()
            let member = try member()
            guard names.insert(member.name).inserted else {
                throw place.error("there are two members called \(member.name)")
            }
            members.append(member)
        }
        let types = Set(members.filter { $0.kind == .type }.map(\.name))
        if let use = uses.first(where: { !types.contains($0.name) }) { throw use.place }
        return InterfaceDescription(name: name, text: text, documentation: documentation, members: members)
    }

    // MARK: Members

    private mutating func member() throws(InterfaceError) -> Member {
        let documentation = scanner.takeComments()
        let place = scanner.mark()
        switch scanner.word() {
        case "type":
            let name = try memberName()
            return Member(name: name, documentation: documentation, content: .type(try structureOrEnumeration()))
        case "method":
            let name = try memberName()
            let input = try structure()
            guard scanner.take("->") else { throw scanner.error("'->' is needed, not \(scanner.found)") }
            return Member(
                name: name, documentation: documentation, content: .method(input: input, output: try structure()))
        case "error":
            let name = try memberName()
            return Member(name: name, documentation: documentation, content: .error(try structure()))
        default: throw place.error("a member starts with 'type', 'method' or 'error'")
        }
    }

    private mutating func structure() throws(InterfaceError) -> [Field] {
        let place = scanner.mark()
        guard case .structure(let fields) = try structureOrEnumeration() else {
            throw place.error("fields with types are needed here, not an enumeration")
        }
        return fields
    }

    /// `(a: int, b: string)` or `(one, two)`: the first member decides.
    private mutating func structureOrEnumeration() throws(InterfaceError) -> TypeExpression {
        guard scanner.take("(") else { throw scanner.error("'(' is needed, not \(scanner.found)") }
        try enter()
        defer { depth -= 1 }
        _ = scanner.takeComments()
        if scanner.take(")") { return .structure([]) }
        var fields: [Field] = []
        var cases: [String] = []
        var names: Set<String> = []
        repeat {
            scanner.skipBlank()
            let documentation = scanner.takeComments()
            let place = scanner.mark()
            let name = try fieldName()
            guard names.insert(name).inserted else { throw place.error("there are two fields called \(name)") }
            if scanner.take(":") {
                guard cases.isEmpty else { throw place.error("\(name) has a type, the names before it have none") }
                fields.append(Field(name: name, type: try type(), documentation: documentation))
            } else {
                guard fields.isEmpty else { throw scanner.error("':' and a type are needed, not \(scanner.found)") }
                cases.append(name)
            }
        } while scanner.take(",")
        guard scanner.take(")") else { throw scanner.error("',' or ')' is needed, not \(scanner.found)") }
        return cases.isEmpty ? .structure(fields) : .enumeration(cases)
    }

    private mutating func type() throws(InterfaceError) -> TypeExpression {
        try enter()
        defer { depth -= 1 }
        if scanner.take("?") {
            scanner.skipBlank()
            let place = scanner.mark()
            let inner = try type()
            if case .optional = inner { throw place.error("'??' is no type") }
            return .optional(inner)
        }
        if scanner.take("[]") { return .array(try type()) }
        if scanner.take("[string]") { return .dictionary(try type()) }
        scanner.skipBlank()
        let place = scanner.mark()
        switch scanner.word() {
        case "bool": return .bool
        case "int": return .int
        case "float": return .float
        case "string": return .string
        case "object": return .object
        case "any": return .any
        case "": return try structureOrEnumeration()
        case let name:
            guard Self.isMemberName(name) else { throw place.error("there is no type \(name)") }
            uses.append((name, place.error("there is no type \(name)")))
            return .named(name)
        }
    }

    private mutating func enter() throws(InterfaceError) {
        guard depth < Self.depthLimit else { throw scanner.error("types are nested too deeply") }
        depth += 1
    }

    // MARK: Names

    private mutating func interfaceName() throws(InterfaceError) -> String {
        scanner.skipBlank()
        let place = scanner.mark()
        let name = scanner.word(others: ".-")
        guard InterfaceDescription.isInterfaceName(name) else {
            throw place.error("an interface's name is in reverse-domain notation: io.example.Name")
        }
        return name
    }

    private mutating func memberName() throws(InterfaceError) -> String {
        scanner.skipBlank()
        let place = scanner.mark()
        let name = scanner.word()
        guard Self.isMemberName(name) else {
            throw place.error("a member's name starts with a capital letter and has only letters and digits")
        }
        return name
    }

    private static func isMemberName(_ name: String) -> Bool {
        name.utf8.first.map { $0 >= 0x41 && $0 <= 0x5A } ?? false
    }

    /// Letters and digits, a letter first, single underscores in between.
    private mutating func fieldName() throws(InterfaceError) -> String {
        scanner.skipBlank()
        let place = scanner.mark()
        let name = scanner.word(others: "_")
        guard let first = name.utf8.first, first >= 0x41, first != UInt8(ascii: "_"),
            name.utf8.last != UInt8(ascii: "_"),
            !name.contains("__")
        else {
            throw place.error(
                "a field's name starts with a letter and has letters, digits and single underscores inside")
        }
        return name
    }
}

extension InterfaceDescription {
    /// Two or more labels of letters, digits and inner hyphens, separated by dots; the first starts with a letter.
    static func isInterfaceName(_ name: String) -> Bool {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, let first = name.utf8.first, first >= 0x41 else { return false }
        return labels.allSatisfy { label in
            guard let first = label.first, let last = label.last else { return false }
            return first != UInt8(ascii: "-") && last != UInt8(ascii: "-")
        }
    }
}
