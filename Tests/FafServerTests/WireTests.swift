import FafAPI
import TaskModel
import Testing
import Varlink

@testable import FafServer

@Suite struct WireTests {
    @Test func `parameters go out as they came in, numbers as written`() throws {
        let sent = sampleRun().wire.parameters
        #expect(sent["big"] == .number("9007199254740993"))
        #expect(sent["list"] == .array([.number("1"), .string("b")]))
        #expect(sent["name"] == .string("a b\"c"))
        #expect(sent.parameters.map(\.value) == sampleRun().parameters.map(\.value))
    }

    @Test func `null is a parameter that is not given`() {
        var object = JSONObject()
        object["a"] = .null
        object["b"] = .bool(false)
        #expect(object.parameters == [Parameter(name: "b", value: ParameterValue(kind: .boolean, text: "false"))])
    }

    @Test func `an attempt tells exit status or signal, never both`() {
        let settings = sampleRun().settings
        var attempt = sampleRun().attempts[0]
        attempt.exit = .exited(code: 3)
        #expect(attempt.wire(settings).exitStatus == 3)
        #expect(attempt.wire(settings).signal == nil)
        attempt.exit = .signaled(signal: 15, coreDumped: false)
        #expect(attempt.wire(settings).exitStatus == nil)
        #expect(attempt.wire(settings).signal == "SIGTERM")
        attempt.exit = .unknown
        #expect(attempt.wire(settings).exitStatus == nil)
        #expect(attempt.wire(settings).signal == nil)
    }

    @Test func `a run names the release that its script lies in`() {
        #expect(sampleRun().wire.release == "/srv/app/releases/7")
        #expect(sampleRun().wire.script == "/srv/app/releases/7/job")
    }
}
