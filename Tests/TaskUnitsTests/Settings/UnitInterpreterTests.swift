import TaskModel
import Testing

@testable import TaskUnits

@Suite struct UnitInterpreterTests {
    @Test func `five mistakes are five diagnostics with line and column`() {
        let text = """
            [Unit]
            Description=%Z
            [Task]
              UMask = 99
            ExecStart=/srv/t "open
            User=4294967295
            Environment=A=1 B
            TimeoutStopSec=1min 5parsecs
            """
        let lookup = catalog(["/u/t.task": text]).task(named: "t")
        #expect(
            lookup.diagnostics.map(\.key) == [
                "Description", "UMask", "ExecStart", "User", "Environment", "TimeoutStopSec",
            ])
        #expect(lookup.diagnostics.map(\.line) == [2, 4, 5, 6, 7, 8])
        #expect(lookup.diagnostics.map(\.column) == [13, 11, 18, 6, 17, 22])
        #expect(lookup.diagnostics.allSatisfy { $0.severity == .error && $0.path == "/u/t.task" })
    }

    @Test func `a position in a continued line is the one in the file`() {
        let lookup = catalog(["/u/t.task": "[Task]\nExecStart=/srv/t\nEnvironment=A=1 \\\n  B=2 \\\n  3C=x\n"]).task(
            named: "t")
        #expect(lookup.diagnostics.map { [$0.line, $0.column] } == [[5, 3]])
    }

    @Test func `a diagnostic reads path, line, column, severity, key, message, remedy`() {
        #expect(
            task("Nice=20").diagnostics.map(\.description) == [
                "/u/t.task:3:6: error: Nice: “20” is no whole number from -20 to 19; write a number from -20 to 19"
            ])
    }

    @Test func `control characters of a file do not reach the terminal`() {
        let lookup = task("Colour\u{1B}[31m=red")
        #expect(lookup.diagnostics.first?.description.contains("\u{1B}") == false)
        #expect(lookup.diagnostics.first?.description.contains("\\x1b[31m") == true)
    }

    // MARK: Commands

    @Test func `the command is taken with its quotes, prefixes and specifiers`() throws {
        let files = ["/u/t.task": "[Task]\nExecStart=@:/srv//bin/%p name \"a b\" $HOME\n"]
        let command = try #require(catalog(files).task(named: "t").unit).settings.command
        #expect(command.path == "/srv/bin/t")
        #expect(command.arguments == ["name", "a b", "$HOME"])
        #expect(!command.expandsEnvironment)
    }

    @Test(arguments: ["-/srv/t", "+/srv/t", "!/srv/t", "!!/srv/t", "|/srv/t", "-/bad/", "t", "./t", "/srv/", "\"", ""])
    func `a command that faf cannot run as it is written is refused`(_ command: String) {
        let lookup = catalog(["/u/t.task": "[Task]\nExecStart=\(command)\n"]).task(named: "t")
        #expect(lookup.unit == nil)
        #expect(lookup.diagnostics.map(\.key) == ["ExecStart"])
    }

    @Test func `several commands are refused by name, also behind a semicolon`() {
        for more in ["ExecStart=/srv/u", "ExecStart=/srv/u ; -/bad/"] {
            let lookup = task(more)
            #expect(lookup.unit == nil)
            #expect(lookup.diagnostics.contains { $0.key == "ExecStart" && $0.line == 3 })
        }
        #expect(task("ExecStart=\nExecStart=/srv/u").unit?.settings.command.path == "/srv/u")
    }

    @Test func `a unit without a command names the file`() {
        let lookup = catalog(["/u/t.task": "[Unit]\nDescription=x\n"]).task(named: "t")
        #expect(
            lookup.diagnostics.map(\.description) == [
                "/u/t.task: error: ExecStart: the task has no command; add ExecStart=/path/of/the/script to [Task]"
            ])
    }

    @Test func `an unknown escape of a command is kept with a warning`() throws {
        let lookup = catalog(["/u/t.task": "[Task]\nExecStart=/srv/t \\d+\n"]).task(named: "t")
        #expect(try #require(lookup.unit).settings.command.arguments == ["/srv/t", "\\d+"])
        #expect(lookup.diagnostics.map(\.severity) == [.warning])
    }

    // MARK: Values that depend on each other

    @Test func `TimeoutStartSec is infinity for simple and 90 s for notify`() {
        #expect(task("").unit?.settings.timeoutStart == .infinity)
        #expect(task("Type=notify").unit?.settings.timeoutStart == .microseconds(90_000_000))
        #expect(task("Type=notify\nTimeoutStartSec=0").unit?.settings.timeoutStart == .infinity)
        #expect(
            task("Type=notify\nTimeoutStartSec=5", dropIn: "TimeoutStartSec=").unit?.settings.timeoutStart
                == .microseconds(90_000_000))
    }

    @Test func `TimeoutSec sets both, and a later line one of them`() throws {
        let unit = try #require(task("TimeoutSec=5\nTimeoutStopSec=7").unit)
        #expect(unit.settings.timeoutStart == .microseconds(5_000_000))
        #expect(unit.settings.timeoutStop == .microseconds(7_000_000))
        #expect(unit.effective.filter { $0.key.hasPrefix("TimeoutS") }.map(\.source) == ["/u/t.task:3", "/u/t.task:4"])
        let reset = try #require(task("TimeoutSec=5", dropIn: "TimeoutSec=").unit)
        #expect(reset.settings.timeoutStart == .infinity)
        #expect(reset.settings.timeoutStop == .microseconds(90_000_000))
    }

    @Test func `specifiers of the user mean the run's user`() throws {
        let unit = try #require(task("Environment=H=%h U=%u I=%U\nWorkingDirectory=%h/app\nUser=alice").unit)
        #expect(unit.settings.environment == ["H=/home/alice", "U=alice", "I=2001"])
        #expect(unit.settings.workingDirectory == .path("/home/alice/app", isOptional: false))
        #expect(try #require(task("Environment=H=%h").unit).settings.environment == ["H=/root"])
    }

    @Test func `a later variable takes the place of the earlier one`() {
        let unit = task("Environment=A=1 B=2\nEnvironment=A=3", dropIn: "Environment=C=4").unit
        #expect(unit?.settings.environment == ["A=3", "B=2", "C=4"])
    }

    @Test func `variables that faf sets are not taken from a unit, with a warning`() {
        let lookup = task("Environment=FAF_RUN=7 A=1\nPassEnvironment=NOTIFY_SOCKET TZ")
        #expect(lookup.unit?.settings.environment == ["A=1"])
        #expect(lookup.unit?.settings.passEnvironment == ["TZ"])
        #expect(lookup.diagnostics.map(\.severity) == [.warning, .warning])
    }

    @Test func `lists add up and an empty line empties them`() {
        #expect(task("AllowUsers=a b", dropIn: "AllowUsers=c").unit?.settings.allowUsers == ["a", "b", "c"])
        #expect(task("AllowUsers=a b", dropIn: "AllowUsers=\nAllowUsers=c").unit?.settings.allowUsers == ["c"])
        let statuses = task("SuccessExitStatus=3 TEMPFAIL\nSuccessExitStatus=SIGTERM").unit?.settings.successExitStatus
        #expect(statuses?.codes == [3, 75])
        #expect(statuses?.signals == [15])
    }

    @Test func `a limit is replaced, not added`() {
        let limits = task("LimitNOFILE=10\nLimitNPROC=5\nLimitNOFILE=20:30").unit?.settings.limits
        #expect(limits == [.init(resource: 6, soft: 5, hard: 5), .init(resource: 7, soft: 20, hard: 30)])
    }

    @Test func `notify without a way to say READY is refused`() {
        #expect(task("Type=notify\nNotifyAccess=none").diagnostics.map(\.key) == ["NotifyAccess"])
        #expect(task("NotifyAccess=none").unit?.settings.notifyAccess == TaskSettings.NotifyAccess.none)
    }

    @Test func `times that could not be kept are refused, those that do nothing are remarked on`() {
        #expect(task("WatchdogSec=5\nNotifyAccess=none").diagnostics.map(\.key) == ["NotifyAccess"])
        #expect(task("WatchdogSec=0\nNotifyAccess=none").diagnostics.isEmpty)
        for line in ["SendSIGKILL=no", "KillMode=none"] {
            let found = task("SilenceSec=5\nSilenceAction=kill\n\(line)").diagnostics
            #expect(found.map(\.key) == ["SilenceAction"] && found.map(\.severity) == [.error])
        }
        for line in ["SilenceAction=stop", "RuntimeRandomizedExtraSec=5", "RuntimeMaxSec=0"] {
            let found = task(line)
            #expect(found.unit != nil && found.diagnostics.map(\.severity) == [.warning], "\(line)")
        }
    }

    @Test func `a name of a user with a specifier is resolved first`() throws {
        let files = ["/u/as@.task": "[Task]\nExecStart=/srv/t\nUser=%i\nWorkingDirectory=%h\n"]
        let unit = try #require(catalog(files).task(named: "as@bob").unit)
        #expect(unit.settings.user == "bob")
        #expect(unit.settings.workingDirectory == .path("/home/bob", isOptional: false))
    }

    @Test func `a broken drop-in refuses the unit, although its first lines could be read`() {
        let files = [
            "/u/t.task": "[Task]\nExecStart=/srv/t\n", "/u/t.task.d/a.conf": "[Task]\nNice=3\n[Task\nNice=4\n",
        ]
        let lookup = catalog(files).task(named: "t")
        #expect(lookup.unit == nil)
        #expect(lookup.diagnostics.map { [$0.line, $0.column] } == [[3, 1]])
    }
}
