import FafAPI
import Testing

@testable import faf

/// What `faf doctor` makes of machines that are not at hand; the one at hand is looked at by test_doctor.py.
struct ExaminationTests {
    private func findings(
        kernel: String = "6.1.0", version: String = Version.current, look: Examination.Look = .nothing,
        change: (inout Wire.GetInfo.Reply) -> Void = { _ in }
    ) -> [Finding] {
        var info = Wire.GetInfo.Reply(
            version: version, pid: 1, mode: "system", active: [:], missing: [], units: ["/etc/faf/units"],
            tasks: "/sys/fs/cgroup/faf")
        change(&info)
        let facts = Examination.Facts(
            info: info, socket: "/run/faf/fafd.sock", kernel: kernel, hasJournal: true, owner: 0)
        return Examination(facts: facts, look: { _ in look }).findings
    }

    private func state(_ what: String, _ findings: [Finding]) -> Finding.State? {
        findings.first { $0.what == what }?.state
    }

    @Test(arguments: [
        ("4.19.0-amd64", Finding.State.bad), ("5.8.18", .bad), ("5.9", .ok), ("5.10.0-28-amd64", .ok), ("10.0", .ok),
        ("strange", .weak),
    ])
    func `kernels are told by their numbers`(kernel: String, expected: Finding.State) {
        #expect(state("kernel", findings(kernel: kernel)) == expected)
    }

    @Test func `files of the kernel that are not there are told with what needs them`() {
        let findings = findings()
        #expect(state("cgroup.kill", findings) == .weak && state("pressure", findings) == .weak)
        #expect(state("cgroup.freeze", findings) == .bad && state("socket", findings) == .bad)
        #expect(findings.allSatisfy { $0.state == .ok || !$0.remedy.isEmpty })
    }

    @Test func `what the caller may not look at is not said to be missing`() {
        let findings = findings(look: .unknown("Permission denied"))
        for what in ["socket", "cgroup.kill", "cgroup.freeze", "pressure", "units"] {
            let found = findings.filter { $0.what == what }
            #expect(found.map(\.state) == [.weak] && found[0].text.hasSuffix("cannot be looked at: Permission denied"))
        }
    }

    @Test func `units that fafd does not tell of are not said to be none`() {
        #expect(state("unit", findings()) == .bad)
    }

    @Test func `what is missing is not said to be there, too`() {
        let findings = findings { $0.missing = [.init(kind: "sandbox", text: "none", remedy: "root")] }
        #expect(findings.filter { $0.what == "sandbox" } == [Finding(.weak, "sandbox", "none", remedy: "root")])
        #expect(state("process-io", findings) == .ok)
    }

    @Test func `a fafd of another version is told`() {
        #expect(state("version", findings(version: "0.0.1")) == .weak && state("version", findings()) == nil)
    }

    @Test func `a fafd that tells less is asked for no more`() {
        let findings = findings {
            $0.units = nil
            $0.tasks = nil
        }
        #expect(state("units", findings) == nil && state("cgroup", findings) == nil)
    }
}
