import Testing

@testable import TaskUnits

@Suite struct RefusedSettingsTests {
    static let refused = SettingTable.all.filter { $0.status != .enforced }.map { ($0.section, $0.key) }

    @Test(arguments: refused)
    func `a setting that is not enforced is refused by name`(_ section: String, _ key: String) {
        let text = "[Task]\nExecStart=/srv/t\n[\(section)]\n\(key)=1\n"
        let lookup = catalog(["/u/t.task": text]).task(named: "t")
        guard case .bad(let diagnostics) = lookup else {
            Issue.record("\(key) is accepted")
            return
        }
        #expect(diagnostics.map(\.key) == [key])
        #expect(diagnostics.map(\.line) == [4])
        #expect(diagnostics.allSatisfy { $0.severity == .error && !$0.message.isEmpty && !$0.remedy.isEmpty })
    }

    @Test(arguments: [
        "OOMScoreAdjust", "MaxRunning", "Priority", "QueueOrder",
        "StandardInput", "SyslogFacility", "SystemCallFilter", "BindPaths", "PrivateUsers", "SecureBits", "Restart",
        "Slice",
        "ExecStartPre", "DynamicUser", "LoadCredentialEncrypted",
    ])
    func `these keys are known and refused in Task`(_ key: String) {
        #expect(SettingTable.setting("Task", key)?.status != .enforced)
        #expect(SettingTable.setting("Task", key) != nil)
    }

    /// `systemd --dump-configuration-items` of systemd 252, [Service] without what faf enforces.
    @Test func `everything that systemd 252 knows for services is known`() {
        let known = systemdServiceKeys.split(separator: " ").map(String.init)
        for key in known { #expect(SettingTable.section(of: key) != nil, "\(key)") }
    }

    @Test func `a condition that is not known yet is a condition`() {
        let lookup = catalog(["/u/t.task": "[Unit]\nConditionMoonPhase=full\n[Task]\nExecStart=/srv/t\n"]).task(
            named: "t")
        #expect(lookup.diagnostics.map(\.severity) == [.error])
    }

    @Test func `a service's section is refused key by key, not skipped`() {
        let text =
            "[Unit]\nAfter=network.target\n[Service]\nExecStart=/srv/t\nMemoryMax=1G\n[Install]\nWantedBy=multi-user.target\n"
        let lookup = catalog(["/u/t.task": text]).task(named: "t")
        #expect(lookup.diagnostics.map(\.key) == ["ExecStart", "After", "ExecStart", "MemoryMax", "WantedBy"])
        #expect(lookup.diagnostics.allSatisfy { $0.severity == .error })
        #expect(lookup.diagnostics[2].remedy == "move it to [Task]")
    }

    @Test func `a setting in the wrong section of ours is an error`() {
        let lookup = catalog(["/u/t.task": "[Unit]\nTimeoutStopSec=5\n[Task]\nExecStart=/srv/t\n"]).task(named: "t")
        #expect(
            lookup.diagnostics.map(\.description) == [
                "/u/t.task:2:1: error: TimeoutStopSec: the setting does not count in [Unit]; move it to [Task]"
            ])
    }

    @Test func `an unknown key is a warning with a near name, and the unit loads`() {
        let lookup = task("TimeoutStopSek=5\nColour=red\nX-Mine=1\n[X-Notes]\na=b\n[Taks]\nNice=1\nNice=2")
        #expect(lookup.unit != nil)
        #expect(
            lookup.diagnostics.map(\.description) == [
                "/u/t.task:3:1: warning: TimeoutStopSek: unknown setting, ignored; did you mean TimeoutStopSec=?",
                "/u/t.task:4:1: warning: Colour: unknown setting, ignored; remove the line",
                "/u/t.task:9:1: warning: Nice: unknown section [Taks], ignored; did you mean [Task]?",
            ])
    }
}
