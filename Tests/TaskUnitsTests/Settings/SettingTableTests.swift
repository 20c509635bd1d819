import TaskModel
import Testing

@testable import TaskUnits

@Suite struct SettingTableTests {
    private func unit(_ setting: SettingCase, _ value: String, dropIn: String? = nil) -> UnitCatalog.Lookup {
        let section = "\n[\(setting.section)]\n"
        var files = ["/u/t.task": "[Task]\nExecStart=/srv/t\(section)\(setting.key)=\(value)\n\(setting.beside)\n"]
        if let dropIn { files["/u/t.task.d/10-more.conf"] = "\(section)\(setting.key)=\(dropIn)\n" }
        return catalog(files).task(named: "t")
    }

    private func effective(_ lookup: UnitCatalog.Lookup, _ key: String) -> [EffectiveSetting] {
        (lookup.unit?.effective ?? []).filter { $0.key == key }
    }

    @Test(arguments: SettingCase.all)
    func `a good value holds, and is shown with its line`(_ setting: SettingCase) {
        let lookup = unit(setting, setting.good)
        #expect(lookup.diagnostics == [])
        let expected = EffectiveSetting(
            section: setting.section, key: setting.key, value: setting.shown, source: "/u/t.task:4")
        #expect(effective(lookup, setting.key) == [expected])
    }

    @Test(arguments: SettingCase.all)
    func `a bad value refuses the unit with the position of the value`(_ setting: SettingCase) {
        for value in setting.bad {
            let lookup = unit(setting, value)
            #expect(lookup.unit == nil, "\(value)")
            let found = lookup.diagnostics.filter { $0.severity == .error }
            #expect(found.count == 1, "\(value)")
            #expect(found.first?.line == 4)
            #expect((found.first?.column ?? 0) >= setting.key.count + 2)
            #expect(found.first?.key == setting.key)
            #expect(found.first?.message.isEmpty == false && found.first?.remedy.isEmpty == false)
        }
    }

    @Test(arguments: SettingCase.all.filter(\.isReset))
    func `an empty assignment goes back to the default`(_ setting: SettingCase) {
        let plain = task(setting.beside)
        let lookup = unit(setting, setting.good, dropIn: "")
        #expect(lookup.diagnostics.map(\.message) == plain.diagnostics.map(\.message))
        #expect(effective(lookup, setting.key) == effective(plain, setting.key))
        #expect(effective(lookup, setting.key).map(\.source) == ["default"])
        #expect(lookup.unit?.settings == plain.unit?.settings)
    }

    @Test(arguments: SettingCase.all)
    func `a drop-in replaces a value and adds to a list`(_ setting: SettingCase) {
        let lookup = unit(setting, setting.good, dropIn: setting.other)
        #expect(lookup.diagnostics == [])
        let sources = effective(lookup, setting.key).map(\.source)
        let dropIn = "/u/t.task.d/10-more.conf:3"
        #expect(sources == (setting.isList ? ["/u/t.task:4", dropIn] : [dropIn]))
    }

    @Test(arguments: SettingCase.all)
    func `a bad value in a drop-in refuses the unit, the earlier one does not stay`(_ setting: SettingCase) {
        let lookup = unit(setting, setting.good, dropIn: setting.bad.first)
        #expect(lookup.unit == nil)
        #expect(lookup.diagnostics.map(\.path) == ["/u/t.task.d/10-more.conf"])
    }

    @Test func `every enforced setting has its case here`() {
        let enforced = SettingTable.all.filter { $0.status == .enforced }.map(\.key)
        let others: Set = ["ExecStart", "TimeoutSec"]
        #expect(Set(enforced).subtracting(others) == Set(SettingCase.all.map(\.key)))
    }

    @Test func `no key stands in the table twice`() {
        var seen: Set<String> = []
        for setting in SettingTable.all {
            #expect(seen.insert("\(setting.section) \(setting.key)").inserted, "\(setting.key)")
        }
    }

    @Test func `defaults of the table are those of a unit that says nothing`() throws {
        let unit = try #require(task("").unit)
        for setting in SettingTable.all where setting.status == .enforced && !setting.isList {
            if ["TimeoutSec", "TimeoutStartSec"].contains(setting.key) { continue }
            let shown = unit.effective.first { $0.key == setting.key }?.value
            #expect(shown == setting.defaultText, "\(setting.key)")
        }
    }

    @Test func `what a task says nothing about is as TaskSettings has it`() throws {
        var expected = TaskSettings(command: .init(path: "/srv/t", arguments: ["/srv/t"], expandsEnvironment: true))
        expected.timeoutStart = .infinity
        #expect(try #require(task("").unit).settings == expected)
    }
}
