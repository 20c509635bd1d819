import FafAPI
import Testing
import Varlink

@Suite struct InterfaceTests {
    typealias Content = InterfaceDescription.Member.Content

    @Test func `all kinds of members and types are read`() throws {
        let interface = try InterfaceDescription(
            parsing: """
                # About the interface,
                # in two lines.
                interface org.example.ftl-2.x9

                # Not this one.

                # A drive.
                type Drive (
                  # On or off.
                  state: (idle, spooling, busy),
                  at: ?Coordinate, # behind
                  tags: [string]string, list: []?[]int,
                  f: float, b: bool, o: object, a: any, nested: (x: int, y: (z: ?int)), empty: (), set: [string]()
                )
                type Coordinate(longitude:float,latitude:float)
                type Empty ()
                method Jump (configuration: Drive) -> (  )
                method\tMonitor\t(type: string, error_code: int)\t->\t(interface: string)
                # Too far.
                error TooFar (by: int)
                """)
        #expect(interface.name == "org.example.ftl-2.x9")
        #expect(interface.documentation == "About the interface,\nin two lines.")
        #expect(interface.members.map(\.name) == ["Drive", "Coordinate", "Empty", "Jump", "Monitor", "TooFar"])
        #expect(interface.members.map(\.kind) == [.type, .type, .type, .method, .method, .error])
        #expect(interface["Drive"]?.documentation == "A drive.")
        #expect(interface["TooFar"]?.documentation == "Too far.")
        guard case .type(.structure(let fields))? = interface["Drive"]?.content else { return #expect(Bool(false)) }
        #expect(fields[0].documentation == "On or off.")
        #expect(fields[2].documentation == "")
        #expect(
            fields.map(\.type) == [
                .enumeration(["idle", "spooling", "busy"]), .optional(.named("Coordinate")), .dictionary(.string),
                .array(.optional(.array(.int))), .float, .bool, .object, .any,
                .structure([
                    .init(name: "x", type: .int, documentation: ""),
                    .init(
                        name: "y", type: .structure([.init(name: "z", type: .optional(.int), documentation: "")]),
                        documentation: ""),
                ]), .structure([]), .dictionary(.structure([])),
            ])
    }

    @Test(arguments: [
        "interface a.b", "interface a.b\n", "\n\n# c\ninterface a.b # d\n\n", "interface a.b\r\nmethod X()->()\r\n",
        "interface a.b\rmethod X()->()\r", "interface xn--lgbbat1ad8j.example.algeria\n", "interface a.21.c\n",
        "interface A.B\ntype T (a_b: int)", "interface a.b\nmethod M(\n# c\n) -> # c\n\n()\n",
        "interface a.b\ntype A (a: ?A)",
        "interface a.b\ntype E (one)\ntype F (one, two)",
    ])
    func `a correct text is read`(text: String) throws { _ = try InterfaceDescription(parsing: text) }

    @Test(arguments: [
        ("", 1, 1), ("method X() -> ()", 1, 7), ("interface", 1, 10), ("interface a", 1, 11), ("interface a.", 1, 11),
        ("interface .a", 1, 11), ("interface a..b", 1, 11), ("interface a.-b", 1, 11), ("interface a.b-", 1, 11),
        ("interface 1.b", 1, 11), ("interface a.b method X() -> ()", 1, 15), ("interface a.b\nmethod x() -> ()", 2, 8),
        ("interface a.b\nmethod X() > ()", 2, 12), ("interface a.b\nmethod X()", 2, 11),
        ("interface a.b\nmethod X -> ()", 2, 10),
        ("interface a.b\ntype T int", 2, 8), ("interface a.b\ntype T (a: )", 2, 12),
        ("interface a.b\ntype T (a: int,)", 2, 16),
        ("interface a.b\ntype T (a: int b: int)", 2, 16), ("interface a.b\ntype T (a, b: int)", 2, 12),
        ("interface a.b\ntype T (a: int, b)", 2, 18), ("interface a.b\ntype T (a: int, a: int)", 2, 17),
        ("interface a.b\ntype T (_a: int)", 2, 9), ("interface a.b\ntype T (a_: int)", 2, 9),
        ("interface a.b\ntype T (a__b: int)", 2, 9),
        ("interface a.b\ntype T (1a: int)", 2, 9), ("interface a.b\ntype T (a: ??int)", 2, 13),
        ("interface a.b\ntype T (a: integer)", 2, 12),
        ("interface a.b\ntype T (a: Missing)", 2, 12), ("interface a.b\ntype T ()\nerror T ()", 3, 1),
        ("interface a.b\nerror E", 2, 8),
        ("interface a.b\nerror E (one, two)", 2, 8), ("interface a.b\nmethod M(one) -> ()", 2, 9),
        ("interface a.b\nthing X ()", 2, 1),
        ("interface a.b\ntype T (a: [int]int)", 2, 12), ("interface a.b\ntype T (a: [ ]int)", 2, 12),
        ("interface a.b\ntype T (a: int) type U ()", 2, 17),
        ("interface a.b\ntype T (a: int", 2, 15), ("interface a.b\ninterface c.d", 2, 1),
        ("interface a.b\ntype T-x ()", 2, 7),
    ])
    func `an error names its line and column`(text: String, line: Int, column: Int) {
        #expect { try InterfaceDescription(parsing: text) } throws: { error in
            (error as? InterfaceError)?.line == line && (error as? InterfaceError)?.column == column
        }
    }

    @Test func `nesting without end is refused`() {
        for part in ["(a:", "[]", "[string]", "?[]"] {
            #expect(throws: InterfaceError.self) {
                try InterfaceDescription(parsing: "interface a.b\ntype T (a: " + String(repeating: part, count: 50_000))
            }
        }
    }

    @Test func `what is not UTF-8 is refused with its place`() {
        let bytes = Array("interface a.b\n# ".utf8) + [0xFF]
        #expect { try InterfaceDescription(parsing: bytes) } throws: { error in
            (error as? InterfaceError)?.line == 2 && (error as? InterfaceError)?.column == 3
        }
    }

    @Test func `random damage never makes the parser trap`() {
        let seed = Array(InterfaceDescription.service.text.utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] =
                    Array("(){}[]?:,->#\n aZ".utf8).randomElement(using: &random) ?? 0
            }
            _ = try? InterfaceDescription(parsing: bytes)
        }
    }

    @Test func `our own interface parses, and keeps to what all parsers read`() throws {
        let interface = try InterfaceDescription(parsing: Wire.description)
        #expect(interface.name == "io.faf.Supervisor")
        #expect(!interface.text.contains("\r") && !interface.text.contains("[][]") && !interface.text.contains("??"))
        for name in ["Fire", "Kill", "Wait", "Watch"] { #expect(interface[name]?.kind == .method) }
        #expect(interface["Run"]?.kind == .type)
        #expect(interface["NoSuchTask"]?.kind == .error)
    }

    @Test func `org.varlink.service declares the six standard errors`() {
        let errors = InterfaceDescription.service.members.filter { $0.kind == .error }.map(\.name)
        #expect(
            errors.sorted() == [
                "ExpectedMore", "InterfaceNotFound", "InvalidParameter", "MethodNotFound", "MethodNotImplemented",
                "PermissionDenied",
            ])
    }
}

@Suite struct CheckingTests {
    private let interface: InterfaceDescription

    init() throws {
        interface = try InterfaceDescription(
            parsing: """
                interface a.b
                type Color (red, green)
                type Node (value: int, next: ?Node)
                method M(
                  i: int, f: ?float, b: ?bool, s: ?string, o: ?object, a: ?any, c: ?Color, list: ?[]Node, map: ?[string]int,
                  optionals: ?[]?int
                ) -> (i: int)
                error E (s: string)
                """)
    }

    @Test(arguments: [
        #"{"i":1}"#, #"{"i":-9223372036854775808,"f":null,"b":null}"#,
        #"{"i":1,"f":1,"b":false,"s":"","o":{"x":[1]},"a":[1]}"#,
        #"{"i":1,"f":1.5e3,"c":"red","list":[{"value":1,"next":{"value":2,"next":null}}],"map":{"any name":3}}"#,
        #"{"i":1,"a":null,"optionals":[1,null]}"#,
    ])
    func `parameters that fit`(text: String) throws {
        let parameters = try #require(try JSON(parsing: text).objectValue)
        #expect(interface.problem(inCallOf: "M", parameters) == nil)
    }

    @Test(arguments: [
        (#"{}"#, "i"), (#"{"i":null}"#, "i"), (#"{"i":"1"}"#, "i"), (#"{"i":true}"#, "i"), (#"{"i":1.0}"#, "i"),
        (#"{"i":1e3}"#, "i"),
        (#"{"i":9223372036854775808}"#, "i"), (#"{"i":1,"f":"1"}"#, "f"), (#"{"i":1,"b":0}"#, "b"),
        (#"{"i":1,"s":1}"#, "s"),
        (#"{"i":1,"o":[]}"#, "o"), (#"{"i":1,"c":"blue"}"#, "c"), (#"{"i":1,"c":1}"#, "c"),
        (#"{"i":1,"list":{}}"#, "list"),
        (#"{"i":1,"list":[{"value":1},{"value":"2"}]}"#, "list.value"),
        (#"{"i":1,"list":[{"value":1,"next":{}}]}"#, "list.next.value"),
        (#"{"i":1,"list":[null]}"#, "list"), (#"{"i":1,"map":{"x":"y"}}"#, "map"), (#"{"i":1,"map":[]}"#, "map"),
        (#"{"i":1,"I":1}"#, "I"), (#"{"i":1,"list":[{"value":1,"extra":1}]}"#, "list.extra"),
    ])
    func `parameters that do not fit are named`(text: String, field: String) throws {
        let parameters = try #require(try JSON(parsing: text).objectValue)
        #expect(interface.problem(inCallOf: "M", parameters)?.parameter == field)
    }

    @Test func `replies and errors are compared too`() {
        #expect(interface.problem(inReplyOf: "M", ["i": .integer(1)]) == nil)
        #expect(interface.problem(inReplyOf: "M", [:])?.parameter == "i")
        #expect(interface.problem(inError: "E", ["s": ""]) == nil)
        #expect(interface.problem(inError: "E", ["s": .integer(1)])?.kind == .notA("string"))
    }
}
