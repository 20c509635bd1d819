import Foundation
import TaskModel
import Testing

@testable import TaskUnits

@Suite struct SandboxSettingTests {
    private func sets(_ lines: String) -> (bounding: String, ambient: String)? {
        task(lines).unit.map { unit in
            let sandbox = unit.settings.sandbox
            return (
                Value.capabilityText(sandbox.capabilityBoundingSet), Value.capabilityText(sandbox.ambientCapabilities)
            )
        }
    }

    /// The examples of systemd.exec(5), and what its parser does beside them.
    @Test(arguments: [
        ("CAP_CHOWN CAP_KILL\nCapabilityBoundingSet=CAP_KILL CAP_SETUID", "CAP_CHOWN CAP_KILL CAP_SETUID"),
        ("CAP_CHOWN CAP_KILL\nCapabilityBoundingSet=~CAP_KILL CAP_SETUID", "CAP_CHOWN"),
        ("", ""), ("~", "~"), ("~CAP_KILL", "~CAP_KILL"), ("CAP_CHOWN\nCapabilityBoundingSet=", ""),
        ("CAP_CHOWN\nCapabilityBoundingSet=~", "~"), ("\nCapabilityBoundingSet=CAP_KILL", "CAP_KILL"),
        ("~CAP_KILL\nCapabilityBoundingSet=CAP_KILL", "~"), ("5", "CAP_KILL"),
    ])
    func `bounding sets add up as systemd's do`(_ value: String, _ expected: String) {
        #expect(sets("CapabilityBoundingSet=\(value)")?.bounding == expected)
    }

    @Test func `an empty bounding set is shown with its line`() throws {
        let unit = try #require(task("CapabilityBoundingSet=").unit)
        let shown = try #require(unit.effective.first { $0.key == "CapabilityBoundingSet" })
        #expect(shown.value == "" && shown.source == "/u/t.task:3")
    }

    @Test func `ambient capabilities lie within the bounding set`() {
        #expect(sets("AmbientCapabilities=CAP_KILL\nCapabilityBoundingSet=CAP_KILL")?.ambient == "CAP_KILL")
        let lookup = task("AmbientCapabilities=CAP_KILL CAP_CHOWN\nCapabilityBoundingSet=CAP_KILL")
        #expect(lookup.diagnostics.map(\.key) == ["AmbientCapabilities"])
        #expect(
            lookup.diagnostics.first?.message == "CAP_CHOWN is not in the bounding set, so the script cannot have it")
        #expect(sets("AmbientCapabilities=CAP_MKNOD\nPrivateDevices=yes") == nil)
    }

    @Test func `a later credential of a name replaces the earlier one`() throws {
        let unit = try #require(task("LoadCredential=a:/x\nLoadCredential=b\nLoadCredential=a:c").unit)
        #expect(unit.settings.sandbox.loadedCredentials.map { "\($0.name):\($0.source)" } == ["b:b", "a:c"])
        #expect(
            task("SetCredential=a:1:2\\n").unit?.settings.sandbox.literalCredentials.first?.content
                == Array("1:2\n".utf8))
    }

    @Test func `settings of an older version have no sandbox, and a default one is not stored`() throws {
        let plain = try #require(task("PrivateTmp=yes\nPrivateTmp=").unit?.settings)
        let text = String(decoding: try JSONEncoder().encode(plain), as: UTF8.self)
        #expect(!text.lowercased().contains("sandbox"))
        var settings = try #require(task("PrivateTmp=yes").unit?.settings)
        let stored = try JSONEncoder().encode(settings)
        #expect(try JSONDecoder().decode(TaskSettings.self, from: stored) == settings)
        // Of a version that knew less.
        let less = Data("{\"privateNetwork\":true}".utf8)
        settings.sandbox = try JSONDecoder().decode(Sandbox.self, from: less)
        #expect(settings.sandbox.privateNetwork && settings.sandbox.capabilityBoundingSet == .all)
        #expect(settings.sandbox.used.map(\.setting) == ["PrivateNetwork"])
    }
}
