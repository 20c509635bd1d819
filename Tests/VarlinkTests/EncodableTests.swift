import Foundation
import Testing
import Varlink

struct EncodableTests {
    private enum Choice: Codable, Equatable {
        case plain
        case one(Int)
        case two(name: String, flag: Bool?)
    }

    private struct Inner: Codable, Equatable {
        var text: String
        var values: [UInt64] = []
    }

    private struct Empty: Codable, Equatable {}

    private class Base: Codable { var base = 1 }

    private final class Derived: Base {
        var more = 2

        enum CodingKeys: CodingKey { case more }

        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            more = try container.decode(Int.self, forKey: .more)
            try super.init(from: try container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            let parent = container.superEncoder()
            try container.encode(more, forKey: .more)
            try super.encode(to: parent)
        }
    }

    private struct Everything: Codable, Equatable {
        var yes = true
        var small: Int8 = -128
        var large = UInt64.max
        var least = Int64.min
        var fraction = 0.1
        var float: Float = 1.5e30
        var text = "a \"b\" \\ \n\u{1}\u{7f} ä \u{1f600}"
        var nothing: Int?
        var holes: [Int?] = [1, nil, 3]
        var choices: [Choice] = [.plain, .one(5), .two(name: "x", flag: nil), .two(name: "", flag: false)]
        var choice = Choice.one(1)
        var inner = Inner(text: "}", values: [0, .max])
        var lists: [[Inner]] = [[], [Inner(text: "")]]
        var named = ["b": [1], "a": []]
        var set: Set<UInt32> = [7]
        var empty = Empty()
        var empties = [Empty(), Empty()]
    }

    @Test func `what is encoded is decoded to the same`() throws {
        let bytes = try JSON.encode(Everything())
        #expect(try JSONDecoder().decode(Everything.self, from: Data(bytes)) == Everything())
        // And is JSON by our own reader, too, with nothing twice and nothing left over.
        _ = try JSON(parsing: String(decoding: bytes, as: UTF8.self))
    }

    @Test func `it is the same as JSONEncoder's`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let bytes = try JSON.encode(Everything())
        let ours = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? NSDictionary)
        let theirs = try JSONSerialization.jsonObject(with: try encoder.encode(Everything())) as? NSDictionary
        #expect(ours == theirs)
    }

    @Test func `values that are no objects stand alone`() throws {
        #expect(try JSON.encode("x") == Array(#""x""#.utf8))
        #expect(try JSON.encode([1, 2]) == Array("[1,2]".utf8))
        #expect(try JSON.encode([String]()) == Array("[]".utf8))
        #expect(try JSON.encode(Empty()) == Array("{}".utf8))
        #expect(try JSON.encode(Int?.none) == Array("null".utf8))
    }

    @Test func `a container that is filled after what follows it keeps its place`() throws {
        let bytes = try JSON.encode(Derived())
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"super":{"base":1},"more":2}"#)
        #expect(try JSONDecoder().decode(Derived.self, from: Data(bytes)).base == 1)
    }

    @Test func `what JSON cannot say is refused`() {
        #expect(throws: EncodingError.self) { _ = try JSON.encode(Double.nan) }
        #expect(throws: EncodingError.self) { _ = try JSON.encode(["a": Float.infinity]) }
    }

    private struct Keeper: KeepsJSON {
        var json: [UInt8] { Array("{\"kept\":true}".utf8) }
        func encode(to encoder: any Encoder) throws { Issue.record("it has its text") }
    }

    private struct Holder: Encodable {
        var first = Keeper()
        var all = [Keeper(), Keeper()]
        var last = 1
    }

    @Test func `a value that keeps its text is written as that`() throws {
        let text = String(decoding: try JSON.encode(Holder()), as: UTF8.self)
        #expect(text == #"{"first":{"kept":true},"all":[{"kept":true},{"kept":true}],"last":1}"#)
    }
}
