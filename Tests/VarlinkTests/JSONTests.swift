import Testing
import Varlink

@Suite struct JSONTests {
    /// Texts that RFC 8259 allows, named as in the JSON Parsing Test Suite.
    @Test(arguments: [
        "[[]   ]", #"[""]"#, "[]", #"["a"]"#, "[false]", #"[null, 1, "1", {}]"#, "[null]", "[1\n]", " [1]",
        "[1,null,null,null,2]", "[2] ", "[123e65]", "[0e+1]", "[0e1]", "[ 4]", "[-0.000000000000000000000000001]",
        "[20e1]", "[-0]", "[-123]", "[-1]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[1e-2]",
        "[1e+2]", "[123]", "[123.456789]", #"{"asd":"sdf", "dfg":"fgh"}"#, #"{"asd":"sdf"}"#, "{}", #"{"":0}"#,
        #"{"foo\u0000bar": 42}"#, #"{"min": -1.0e+28, "max": 1.0e+28}"#, #"{"a":[]}"#, "{\n\"a\": \"b\"\n}",
        #"["\u0060\u012a\u12AB"]"#, #"["\uD801\udc37"]"#, #"["\ud83d\ude39\ud83d\udc8d"]"#,
        #"["\"\\\/\b\f\n\r\t"]"#, #"["\\u0000"]"#, #"["\""]"#, "[\"a/*b*/c/*d//e\"]", #"["\\a"]"#, #"["\uDBFF\uDFFF"]"#,
        "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]", #"["\u0000"]"#, "[\"\u{2028}\"]", "[\"\u{7F}\"]", "[\"€𝄞\"]", "\" \"",
        "null", "true", "42", "-0.1", "\"asd\"", "[true]", "\t[]\r\n ",
    ])
    func `a correct text is read`(text: String) throws {
        let value = try JSON(parsing: text)
        #expect(try JSON(parsing: value.bytes) == value)
    }

    @Test(arguments: [
        "[1 true]", "[a\u{e9}]", #"["": 1]"#, #"[""],"#, "[,1]", "[1,,2]", #"["x",,]"#, #"["x"]]"#, #"["",]"#, #"["x""#,
        "[x", "[3[4]]", "[1:2]", "[,]", "[-]", "[   , \"\"]", "[\"a\",\n4\n,1,", "[1,]", "[1,,]", "[*]", "[\"\"", "[1,",
        "[{}", "[fals]", "[nul]", "[tru]", "[++1234]", "[+1]", "[+Inf]", "[-01]", "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]",
        "[.2e-3]", "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]", "[0E+]", "[0e]", "[1.0e+]", "[1.0e-]", "[1.0e]",
        "[1 000.0]", "[1eE2]", "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[\u{ff11}]", "[1+2]",
        "[0x1]", "[0x42]", "[-Infinity]", "[-foo]", "[- 1]", "[-012]", "[-.123]", "[-1x]", "[1ea]", "[1.]", "[.123]",
        "[1.2a-3]", "[1.8011670033376514H-308]", "[012]", #"["x", truth]"#, #"{"x", null}"#, #"{"x"::"b"}"#,
        "{\u{1F1E8}\u{1F1ED}}", #"{"a":"a" 123}"#, "{key: 'value'}", #"{"a" b}"#, #"{:"b"}"#, #"{"a" "b"}"#, #"{"a":"#,
        #"{"a""#, "{1:1}", "{9999E9999:1}", "{null:null,null:null}", #"{"id":0,,,,,}"#, "{'a':0}", #"{"id":0,}"#,
        #"{"a":"b"}/**/"#, #"{"a":"b"}//"#, #"{"a":"b",,"c":"d"}"#, #"{a: "b"}"#, #"{"a":"a"#,
        #"{ "foo" : "bar", "a" }"#,
        #"{"a":"b"}#"#, " ", "", "[\"\\uD800\\\"]", #"["\uD800\u"]"#, #"["\uD800\u1"]"#, #"["\uD800\u1x"]"#, "[\u{e9}]",
        #"["\x00"]"#, #"["\\\"]"#, "[\"\\\u{9}\"]", #"["\🌀"]"#, #"["\"]"#, #"["\u00A"]"#, #"["\uD834\uDd"]"#,
        #"["\uD800\uD800\x"]"#, #"["\a"]"#, #"["\uqqqq"]"#, #"[\u0020"asd"]"#, "[\\n]", "\"", "['single quote']",
        "abc", #"["\"#, "[\"a\nb\"]", "[\"\t\"]", "\"\\UA66D\"", "<.>", "[<null>]", "[1]x", "[1]]", "\u{FEFF}[]",
        "\u{FEFF}",
        "[True]", "1]", #"{"x": true,"#, "[][]", "]", "{]", #"{"a":"#, "{", "[", #"[,"#, #"["a"#, #"{""#, "{'a'", "*",
        #"{"a":"b"}#{}"#, #"[\u000A""]"#, "[1", "å", "[\u{2060}]", "[\u{c}]", "nul", "falsey", "--1", "\u{0}",
        "[]\u{0}",
        #"["\uDADA"]"#, #"["\uD888\u1234"]"#, #"["\uD800\n"]"#, #"["\uDd1e\uD834"]"#, #"["\uDFAA"]"#, #"["\uD800abc"]"#,
        "NULL", "TRUE", "- 5", "1e", "1e+", "0123", "[1}", "{\"a\":1]",
    ])
    func `a wrong text is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test(
        arguments: [
            [0xFF], [0xE0, 0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0xBF, 0xBF, 0xBF],
            [0xFC, 0x83, 0xBF, 0xBF, 0xBF, 0xBF],
            [0x81], [0xE5], [0xC3], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func `what is not UTF-8 is refused where it starts`(bytes: [UInt8]) {
        let text = Array(#"["ab"#.utf8) + bytes + Array(#""]"#.utf8)
        #expect { try JSON(parsing: text) } throws: {
            ($0 as? JSONError)?.problem == .invalidUTF8 && ($0 as? JSONError)?.offset == 4
        }
        let escaped = Array(#"["\n"#.utf8) + bytes + Array(#"\n"]"#.utf8)
        #expect { try JSON(parsing: escaped) } throws: { ($0 as? JSONError)?.problem == .invalidUTF8 }
        #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    }

    @Test(arguments: [
        ("", JSONError.Problem.unexpectedEnd, 0), ("[1,", .unexpectedEnd, 3), ("[1 2]", .unexpectedByte(0x32), 3),
        ("[01]", .badNumber, 1), (#"["\q"]"#, .badEscape, 2), ("\"a\u{1}\"", .controlCharacter, 2),
        (#""\ud800""#, .loneSurrogate, 1), (#"{"a":1,"a":2}"#, .doubledName, 7), ("1 2", .trailingBytes, 2),
    ])
    func `an error names its place`(text: String, problem: JSONError.Problem, offset: Int) {
        #expect { try JSON(parsing: text) } throws: { error in
            (error as? JSONError)?.problem == problem && (error as? JSONError)?.offset == offset
        }
    }

    @Test func `an error names the members it lies in`() {
        #expect { try JSON(parsing: #"{"parameters":{"list":[{"x":1,"x":2}]}}"#) } throws: { error in
            (error as? JSONError)?.path == ["parameters", "list", "x"]
        }
    }

    @Test func `numbers keep their text`() throws {
        let text = "[9007199254740993,1.0,-0,1e400,0.1000,18446744073709551616]"
        #expect(try JSON(parsing: text).text == text)
        #expect(try JSON(parsing: "9007199254740993").integerValue == 9_007_199_254_740_993)
        #expect(try JSON(parsing: "1.0").integerValue == nil)
        #expect(try JSON(parsing: "9223372036854775808").integerValue == nil)
    }

    @Test func `names are compared by their bytes`() throws {
        let composed = try JSON(parsing: "{\"\u{e9}\":1,\"e\u{301}\":2}")
        #expect(composed.objectValue?.count == 2)
        #expect { try JSON(parsing: #"{"\u0061":1,"a":2}"#) } throws: { ($0 as? JSONError)?.problem == .doubledName }
    }

    @Test func `a doubled name is found among many, in linear time`() throws {
        let names = (0..<100_000).map { "\"n\($0)\":0" }.joined(separator: ",")
        let start = ContinuousClock.now
        #expect(try JSON(parsing: "{\(names)}").objectValue?.count == 100_000)
        #expect { try JSON(parsing: "{\(names),\"n5\":1}") } throws: { ($0 as? JSONError)?.problem == .doubledName }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func `64 levels are read, 65 are not`() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        _ = try JSON(parsing: nested(64))
        #expect { try JSON(parsing: nested(65)) } throws: { ($0 as? JSONError)?.problem == .tooDeep }
        #expect { try JSON(parsing: String(repeating: "[", count: 100_000)) } throws: {
            ($0 as? JSONError)?.problem == .tooDeep
        }
        #expect { try JSON(parsing: String(repeating: #"{"a":"#, count: 65)) } throws: {
            ($0 as? JSONError)?.problem == .tooDeep
        }
        // Levels, not containers: many in a row are fine.
        _ = try JSON(parsing: "[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]")
    }

    @Test func `every control character is escaped`() throws {
        let text =
            String(String.UnicodeScalarView((0..<0x20).map { Unicode.Scalar(UInt8($0)) })) + "\"\\\u{7f}é\u{1F600}"
        let bytes = JSON.string(text).bytes
        #expect(!bytes.contains { $0 < 0x20 })
        #expect(try JSON(parsing: bytes) == .string(text))
        #expect(JSON.string("\u{0}\u{1f}\n").text == #""\u0000\u001f\n""#)
    }

    @Test func `an object keeps the order of its names`() throws {
        let text = #"{"z":1,"a":{"y":[true,null]},"m":"x"}"#
        let value = try JSON(parsing: text)
        #expect(value.text == text)
        #expect(value.objectValue?.members.map(\.name) == ["z", "a", "m"])
    }

    @Test func `no flipped bit makes the reader trap, and what it reads it writes and reads again`() throws {
        let seed = Array(
            #"{"method":"io.faf.Supervisor.Fire","parameters":{"task":"t@i","parameters":{"a":[1,-2.5e3,"\u00e9\ud83d\ude00é",{}],"b":null}},"more":true}"#
                .utf8)
        for index in seed.indices {
            for bit in 0..<8 {
                var bytes = seed
                bytes[index] ^= 1 << UInt8(bit)
                try readAndWrite(bytes)
                try readAndWrite(Array(bytes[..<index]))
            }
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = bytes.indices.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(Array(#"{}[]",:\0u"#.utf8).randomElement(using: &random) ?? 0, at: index)
                }
            }
            try readAndWrite(bytes)
        }
    }

    private func readAndWrite(_ bytes: [UInt8]) throws {
        guard let value = try? JSON(parsing: bytes) else { return }
        #expect(try JSON(parsing: value.bytes) == value)
    }
}
