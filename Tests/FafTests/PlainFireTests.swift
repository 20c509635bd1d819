import CFire
import FafAPI
import FakeSupervisor
import Glibc
import Testing
import Varlink

@testable import faf

/// What the constructor of CFire sends and takes by itself is what the ordinary path would have.
struct PlainFireTests {
    private func message(
        _ arguments: [String], user: String = "", socket: String = ""
    ) -> (text: String, socket: String)? {
        let words = (["faf"] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        var buffer = [CChar](repeating: 1, count: 400)
        return user.withCString { user in
            socket.withCString { socket in
                var environment = faf_fire_environment(faf_user: user, faf_socket: socket)
                var path: UnsafePointer<CChar>?
                let length = faf_fire_message(
                    Int32(words.count), words, &environment, &buffer, UInt(buffer.count), &path)
                guard length >= 0, let path else { return nil }
                #expect(buffer[length - 1] == 0)
                let bytes = buffer.prefix(length - 1).map { UInt8(bitPattern: $0) }
                return (String(decoding: bytes, as: UTF8.self), String(cString: path))
            }
        }
    }

    @Test(arguments: [
        ["fire", "count"], ["fire", "count@5"], ["fire", "--n=5", "count", "--text=a b: =", "--empty="],
        ["fire", "--path=/var/x?{}[]", "count"],
    ]) func `a plain fire is the message of the ordinary one`(arguments: [String]) throws {
        let read = try FireArguments(verb: "fire", Array(arguments.dropFirst()))
        let request = Wire.Fire.Request(
            task: try #require(read.task), parameters: read.parameters.isEmpty ? nil : read.parameters)
        var bytes: [UInt8] = []
        Call(method: Wire.Fire.fullName, parameters: try #require(request.json.objectValue)).encode(to: &bytes)
        #expect(message(arguments)?.text == String(decoding: bytes.dropLast(), as: UTF8.self))
    }

    @Test(arguments: [
        ["status"], ["fire"], ["fire", ""], ["fire", "count", "--wait"], ["fire", "count", "--json"],
        ["fire", "count", "--n:=5"], ["fire", "count", "--", "--n=5"], ["fire", "count", "--n=5", "--n=6"],
        ["fire", "count", "second"], ["fire", "count.task"], ["fire", "count", "-n"], ["fire", "count", "--user"],
        ["fire", "count", "--help=x"], ["fire", "count", "--socket="], ["fire", "count", "--socket", "/x"],
        ["fire", "count", "--=x"], ["fire", "count", "--text=\u{e4}"], ["fire", "count", "--text=\""],
        ["fire", "count", "--text=\\"], ["fire", "count", "--text=\n"],
        ["fire", "count", "--text=" + String(repeating: "x", count: 400)],
    ]) func `what is not plain is left alone`(arguments: [String]) {
        #expect(message(arguments) == nil)
    }

    @Test func `the socket is looked for as by the ordinary path`() {
        #expect(message(["fire", "t"])?.socket == "/run/faf/fafd.sock")
        #expect(message(["fire", "t"], socket: "/s")?.socket == "/s")
        #expect(message(["fire", "t", "--socket=/e"], socket: "/s")?.socket == "/e")
        #expect(message(["fire", "t"], user: "1") == nil)
    }

    private func number(_ answer: [UInt8]) -> String? {
        var text = [CChar](repeating: 0, count: 24)
        let length = answer.withUnsafeBytes { bytes in
            faf_fire_number(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt(bytes.count), &text)
        }
        return length < 0 ? nil : String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func `the number of an answer is its run's`() throws {
        var answer: [UInt8] = []
        let parameters = try #require(Wire.Fire.Reply(run: .sample(4711)).json.objectValue)
        Reply(parameters: parameters).encode(to: &answer)
        #expect(number(answer) == "4711\n")
        for length in 0..<answer.count { #expect(number(Array(answer.prefix(length))) == nil) }
        #expect(number(answer + answer) == nil)
        var several: [UInt8] = []
        Reply(parameters: parameters, continues: true).encode(to: &several)
        #expect(number(several) == nil)
        var refusal: [UInt8] = []
        Reply(error: "io.faf.Supervisor.NoSuchTask").encode(to: &refusal)
        #expect(number(refusal) == nil)
    }
}
