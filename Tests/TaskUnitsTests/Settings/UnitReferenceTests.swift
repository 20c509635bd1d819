import Testing

@testable import TaskUnits

@Suite struct UnitReferenceTests {
    @Test func `every setting of the table is in the reference`() {
        let text = UnitReference.markdown()
        for setting in SettingTable.all { #expect(text.contains("`\(setting.key)=`"), "\(setting.key)") }
        #expect(text.contains("| `TimeoutStopSec=` | time span"))
        #expect(text.contains("`1min 30s`"))
    }

    @Test func `every row of a table has as many cells as its head`() {
        for line in UnitReference.markdown().split(separator: "\n") where line.hasPrefix("|") {
            let cells = line.replacing("\\|", with: "").count { $0 == "|" }
            #expect(cells == 5 || cells == 4, "\(line)")
        }
    }
}
