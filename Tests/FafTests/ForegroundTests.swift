import FafAPI
import FakeSupervisor
import Glibc
import Testing
import Varlink

@testable import faf

/// `faf run --foreground`, with a unit that fafd has loaded and a script below a directory of the test.
@Suite(.timeLimit(.minutes(1)))
struct ForegroundTests {
    /// The script check wants directories that nobody else can write: /tmp may be above, and the test's own below.
    private func run(
        _ script: String, unit: String = "", mode: mode_t = 0o755, _ arguments: [String] = []
    ) throws -> Done {
        var template = Array("/tmp/faf-foreground.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = directory + "/script"
        defer {
            unlink(path)
            rmdir(directory)
        }
        let file = try #require(fopen(path, "w"))
        fputs("#!/bin/sh\n" + script, file)
        fclose(file)
        chmod(path, mode)
        let text = "[Task]\nExecStart=\(path)\nScriptOwner=\(getuid())\n" + unit
        let fake = try FakeSupervisor { call in
            guard call.name == "GetTask", call.parameters["task"] == .string("t") else { return .hangUp }
            return .reply(
                Wire.GetTask.Reply(
                    task: .init(
                        name: "t", description: "", loadState: "loaded", path: "/u/t.task", problems: [], mayFire: true,
                        activeRuns: 0),
                    sources: [
                        .init(path: "/u/t.task", text: text),
                        .init(path: "/d/t.task.d/x.conf", text: "[Task]\nEnvironment=B=2\n"),
                    ], settings: []))
        }
        defer { fake.stop() }
        return try call(["run", "--foreground", "t"] + arguments, fake)
    }

    @Test func `the script gets its parameters, sorted, and faf its status`() throws {
        let done = try run(#"printf '<%s>' "$@"; exit 3"#, ["--b=2", "--a=x y", "--", "--wait=1"])
        #expect(done.status == 3)
        #expect(done.output == "<--a=x y><--b=2><--wait=1>")
    }

    @Test func `the environment is a fire's, with the unit's drop-ins`() throws {
        let done = try run(
            "env | cut -d= -f1 | sort | tr '\\n' ' '; echo $FAF_TASK $A $B", unit: "Environment=A=1 B=1\n")
        let names = Set(done.output.split(separator: "\n").first?.split(separator: " ").map(String.init) ?? [])
        #expect(done.output.hasSuffix("t 1 2\n"))
        #expect(
            names.isSuperset(of: [
                "FAF_TASK", "FAF_RUN", "FAF_ATTEMPT", "FAF_SOCKET", "FAF_SCRIPT", "FAF_INPUT", "FAF_RESULT",
                "INVOCATION_ID", "NOTIFY_SOCKET", "PATH", "LANG",
            ]))
        #expect(!names.contains("TERM"), "nothing of the caller's own")
    }

    @Test func `a signal that ends the script is told as a shell does`() throws {
        #expect(try run("kill -KILL $$").status == 137)
    }

    @Test func `statuses are shown, escaped`() throws {
        let script = """
            python3 -c 'import os,socket; s=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"]); s.send(b"READY=1\\nSTATUS=3 of 5\\x1b\\nX_FAF_PROGRESS=3/5")'
            """
        let done = try run(script)
        #expect(done.status == 0, "\(done.errors)")
        #expect(done.errors.contains("faf: ready  3/5  status: 3 of 5\\x1b\n"))
    }

    @Test func `a script that others may change is refused`() throws {
        let done = try run("echo ran", mode: 0o777)
        #expect(done.status == 77)
        #expect(done.output.isEmpty)
        #expect(done.errors.contains("writable"))
    }

    @Test func `a parameter that the unit does not declare is refused by name`() throws {
        let done = try run("echo ran", unit: "[Parameters]\nn=integer\n", ["--m=1"])
        #expect(done.status == 65)
        #expect(done.output.isEmpty)
        #expect(done.errors.contains("no parameter m"))
    }

    @Test func `a file without an interpreter is not given to a shell`() throws {
        var template = Array("/tmp/faf-foreground.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in ["script", "t.task"] { unlink(directory + "/" + name) }
            rmdir(directory)
        }
        for (name, text) in [
            ("script", "echo ran\n"), ("t.task", "[Task]\nExecStart=\(directory)/script\nScriptOwner=\(getuid())\n"),
        ] {
            let file = try #require(fopen(directory + "/" + name, "w"))
            fputs(text, file)
            fclose(file)
            chmod(directory + "/" + name, 0o755)
        }
        let done = try call(["run", "--foreground", directory + "/t.task"], socket: "/nowhere")
        #expect(done.status == 70)
        #expect(done.output.isEmpty)
        #expect(done.errors.contains("#!"))
    }
}
