import FafAPI
import Testing
import Varlink

struct WireTests {
    @Test func `an error of an inner object names the way to it`() throws {
        let json = try JSON(
            parsing: #"{"runs":[{"number":1,"task":"t","state":"running","parameters":{},"uid":0,"#
                + #""script":"/x","priority":10,"queuedAt":1,"attempts":[{"number":1,"invocationId":"x","state":3}]}]}"#
        )
        #expect(throws: WireError(field: "runs[0].attempts[0].state", problem: .isNot("a string"))) {
            try Wire.ListRuns.Reply(json: json)
        }
    }

    @Test func `numbers of parameters keep their text`() throws {
        let request = try Wire.Fire.Request(
            json: try JSON(parsing: #"{"task":"t","parameters":{"n":9007199254740993,"x":1.50}}"#))
        #expect(request.json.text == #"{"task":"t","parameters":{"n":9007199254740993,"x":1.50}}"#)
    }

    @Test func `an error reply becomes the error that was thrown`() throws {
        let thrown = Wire.PermissionDenied(message: "no", remedy: "ask", setting: "AllowUsers=")
        let read = Wire.failure(named: Wire.PermissionDenied.fullName, parameters: thrown.json)
        #expect(read as? Wire.PermissionDenied == thrown)
        #expect(Wire.failure(named: "io.faf.Supervisor.SomethingNew", parameters: thrown.json) == nil)
        #expect(Wire.failure(named: Wire.NoSuchRun.fullName, parameters: thrown.json) == nil, "its fields are missing")
    }

    @Test func `what is no object is refused`() {
        #expect(throws: WireError(field: "", problem: .isNot("an object"))) {
            try Wire.Reload.Request(json: .array([]))
        }
    }
}
