import FafAPI
import LinuxSystem
import TaskModel
import Testing

@testable import FafServer

@Suite struct AccessTests {
    private struct Machine: Host {
        func identity(for settings: TaskSettings) throws(HostRefusal) -> RunIdentity { sampleRun().identity }
        func userID(_ text: String) -> UInt32? { ["alice": 2001, "nobody": 65534][text] ?? UInt32(text) }
        func groupID(_ text: String) -> UInt32? { ["video": 2000, "nogroup": 65534][text] ?? UInt32(text) }
        func checkScript(_ settings: TaskSettings, identity: RunIdentity) throws(HostRefusal) -> CheckedScript {
            sampleRun().script
        }
        func accountsMark() -> [FileMark] { [] }
        func isLocal(_ script: CheckedScript) -> Bool { true }
        func missingProtections() -> [MissingProtection] { [] }
        var unitDirectories: [String] { [] }
        var tasksCgroup: String? { nil }
        func settled(_ settings: TaskSettings) -> TaskSettings { settings }
        func journal(from start: OutputStart) throws(HostRefusal) -> any OutputReader {
            throw HostRefusal(subject: "the journal", message: "there is none", remedy: "")
        }
        func output(of run: RunID, from offset: UInt64, limit: Int) throws(HostRefusal) -> [UInt8] { [] }
        func outputSize(of run: RunID) throws(HostRefusal) -> UInt64 { 0 }
    }

    private func caller(_ uid: UInt32, gid: UInt32? = nil, groups: [UInt32] = []) -> PeerCredentials {
        PeerCredentials(pid: 1, uid: uid, gid: gid ?? uid, groups: groups)
    }

    private func mayFire(
        _ caller: PeerCredentials, users: [String] = [], groups: [String] = [], onlyUser: UInt32? = nil
    ) -> Bool {
        let access = Access(host: Machine(), onlyUser: onlyUser)
        var settings = sampleRun().settings
        settings.allowUsers = users
        settings.allowGroups = groups
        let rights = access.rights(settings, identity: sampleRun().identity, firedBy: caller.uid)
        return access.mayFire(caller, rights)
    }

    @Test func `root and the run's own user may fire by default, nobody else`() {
        #expect(mayFire(caller(0)))
        #expect(mayFire(caller(2001)))
        #expect(!mayFire(caller(2002)))
        #expect(!mayFire(caller(2002, groups: [2001])))
    }

    @Test func `AllowUsers replaces the default, root stays`() {
        #expect(mayFire(caller(2002), users: ["2002"]))
        #expect(!mayFire(caller(2001), users: ["2002"]))
        #expect(mayFire(caller(0), users: ["2002"]))
    }

    @Test func `groups count as main and as supplementary ones`() {
        #expect(mayFire(caller(2002, gid: 2000), groups: ["video"]))
        #expect(mayFire(caller(2002, groups: [7, 2000]), groups: ["video"]))
        #expect(!mayFire(caller(2002), groups: ["video"]))
    }

    @Test func `a name that nobody has allows nobody`() {
        #expect(!mayFire(caller(2002), users: ["mallory"]))
    }

    @Test func `a name that nobody has is found before it decides anything`() {
        let access = Access(host: Machine(), onlyUser: nil)
        var settings = sampleRun().settings
        #expect(access.unknownName(in: settings) == nil)
        settings.allowUsers = ["alice", "mallory"]
        #expect(access.unknownName(in: settings)?.subject == "AllowUsers=mallory")
        settings.allowUsers = []
        settings.allowGroups = ["vedio"]
        #expect(access.unknownName(in: settings)?.subject == "AllowGroups=vedio")
        settings.allowGroups = ["video"]
        settings.scriptOwner = "mallory"
        #expect(access.unknownName(in: settings)?.subject == "ScriptOwner=mallory")
    }

    @Test func `the overflow ids never match`() {
        #expect(!mayFire(caller(65534), users: ["nobody"]))
        #expect(!mayFire(caller(2002, groups: [65534]), groups: ["nogroup"]))
    }

    @Test func `in user mode only that user and root are served`() {
        #expect(mayFire(caller(1000), users: ["2002"], onlyUser: 1000))
        #expect(mayFire(caller(0), onlyUser: 1000))
        #expect(!mayFire(caller(2002), users: ["2002"], onlyUser: 1000))
    }

    @Test func `a run is seen by root, by who fired it, and by whom its unit allowed then`() {
        let access = Access(host: Machine(), onlyUser: nil)
        var run = sampleRun()
        run.rights = RunRights(firedBy: 2002, users: [2001], groups: [2000])
        #expect(access.maySee(caller(0), run))
        #expect(access.maySee(caller(2002), run))
        #expect(access.maySee(caller(2001), run))
        #expect(access.maySee(caller(3, groups: [2000]), run))
        #expect(!access.maySee(caller(2003), run))
        run.rights.firedBy = 65534
        #expect(!access.maySee(caller(65534), run))
    }

    @Test func `a refusal names the setting that would allow it, and no parameter`() {
        let refusal = Access(host: Machine(), onlyUser: nil).denied(caller(2002), "fire", task: "transcode")
        #expect(refusal.setting == "AllowUsers=")
        #expect(refusal.message.contains("2002"))
        #expect(refusal.remedy.contains("AllowGroups="))
    }
}

func sampleRun() -> Run {
    Run(
        id: RunID(rawValue: 17), task: "transcode",
        parameters: [
            Parameter(name: "big", value: ParameterValue(kind: .number, text: "9007199254740993")),
            Parameter(name: "list", value: ParameterValue(kind: .array, text: "[1,\"b\"]")),
            Parameter(name: "name", value: ParameterValue(kind: .string, text: "a b\"c")),
        ],
        settings: TaskSettings(command: .init(path: "/srv/job", arguments: ["/srv/job"], expandsEnvironment: true)),
        identity: RunIdentity(uid: 2001, gid: 2001, groups: [], userName: "alice", home: "/", shell: "/bin/sh"),
        rights: RunRights(firedBy: 2001, users: [2001], groups: []),
        script: CheckedScript(
            configuredPath: "/srv/app/current/job", realPath: "/srv/app/releases/7/job", device: 1, inode: 2,
            owner: 2001),
        priority: 10, state: .running, queuedAt: Timestamp(microseconds: 5),
        attempts: [Attempt(number: 1, invocation: InvocationID(high: 7, low: 7), boot: BootID(high: 1, low: 1))])
}
