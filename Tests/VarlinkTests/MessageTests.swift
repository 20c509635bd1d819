import Testing
import Varlink

@Suite struct MessageTests {
    private func call(_ text: String) throws(MessageError) -> Call {
        let bytes = Array(text.utf8)
        return try Call(decoding: bytes.span)
    }

    private func reply(_ text: String) throws(MessageError) -> Reply {
        let bytes = Array(text.utf8)
        return try Reply(decoding: bytes.span)
    }

    @Test func `parameters that are missing, null or empty are the same`() throws {
        for text in [
            #"{"method":"a.b.C"}"#, #"{"method":"a.b.C","parameters":null}"#, #"{"method":"a.b.C","parameters":{}}"#,
        ] {
            #expect(try call(text) == Call(method: "a.b.C"))
        }
    }

    @Test func `members that we do not know are ignored`() throws {
        #expect(try call(#"{"fd":3,"method":"a.b.C","more":true,"x":{"y":[]}}"#) == Call(method: "a.b.C", more: true))
        #expect(try reply(#"{"parameters":{},"x":1}"#) == Reply())
    }

    @Test func `flags may be null and must be boolean otherwise`() throws {
        #expect(try call(#"{"method":"a.b.C","oneway":null,"more":false}"#) == Call(method: "a.b.C"))
        #expect(throws: MessageError.badMember("oneway")) { try call(#"{"method":"a.b.C","oneway":1}"#) }
        #expect(throws: MessageError.badMember("method")) { try call(#"{"oneway":true}"#) }
        #expect(throws: MessageError.badMember("parameters")) { try call(#"{"method":"a.b.C","parameters":[]}"#) }
        #expect(throws: MessageError.badMember("more")) { try call(#"{"method":"a.b.C","more":true,"oneway":true}"#) }
        #expect(throws: MessageError.notAnObject) { try call("[]") }
    }

    @Test func `nothing false, null or extra is ever sent`() throws {
        var bytes: [UInt8] = []
        Call(method: "a.b.C").encode(to: &bytes)
        Call(method: "a.b.C", parameters: ["x": "\u{0}"], more: true).encode(to: &bytes)
        Reply().encode(to: &bytes)
        Reply(parameters: ["x": "y"], continues: true).encode(to: &bytes)
        Reply(error: "a.b.E").encode(to: &bytes)
        let texts = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            texts == [
                #"{"method":"a.b.C"}"#, #"{"method":"a.b.C","parameters":{"x":"\u0000"},"more":true}"#,
                #"{"parameters":{}}"#,
                #"{"parameters":{"x":"y"},"continues":true}"#, #"{"error":"a.b.E","parameters":{}}"#,
            ])
    }
}
