import CRecord
import ShimProtocol
import TaskModel
import Testing

@testable import ShimLogic

struct SandboxItemsTests {
    private let mounts: [LaunchSpecification.Mount] = [
        .init(.readOnly, at: "/"), .init(.hidden(mode: 0o111, file: "/run/empty"), at: "/run"),
        .init(.memory(mode: 0o1777), at: "/tmp"), .init(.directory("/var/tmp/x/tmp"), at: "/var/tmp"),
        .init(.devices, at: "/dev"), .init(.credentials, at: "/run/faf/credentials"),
    ]

    private func example() -> LaunchSpecification {
        var specification = LaunchSpecification(
            run: RunID(rawValue: 1), attempt: 1, invocation: InvocationID(high: 1, low: 2),
            boot: BootID(high: 3, low: 4),
            script: CheckedScript(configuredPath: "/s", realPath: "/s", device: 1, inode: 2, owner: 0),
            arguments: ["/s"], uid: 2001, gid: 2001, recordsDirectory: "/r", endsDirectory: "/e")
        var sandbox = LaunchSpecification.Sandbox()
        sandbox.mounts = mounts
        var made = LaunchSpecification.Mount(.readWrite, at: "/run/n")
        made.isMade = true
        sandbox.mounts.append(made)
        sandbox.credentials = [
            .init(name: "a.b", content: [0, 1, 0]), .init(name: "empty", content: []), .init(name: "...", content: [7]),
        ]
        sandbox.hasOwnNetwork = true
        sandbox.forbidsSUID = true
        sandbox.capabilities = .init(bounding: .all, ambient: [.netAdmin])
        specification.sandbox = sandbox
        return specification
    }

    @Test func `what fafd writes is what the shim reads`() throws {
        try example().encoded().withUnsafeBytes { buffer in
            let specification = try Specification(buffer)
            let head = try #require(specification.first(FAF_SPEC_SANDBOX)).loadUnaligned(as: faf_spec_sandbox.self)
            let flags = [
                FAF_SANDBOX_MOUNTS, FAF_SANDBOX_NETWORK, FAF_SANDBOX_NO_SUID, FAF_SANDBOX_CAPABILITIES,
            ]
            #expect(head.flags == flags.reduce(0) { $0 | $1.rawValue })
            #expect(head.bounding == .max && head.ambient == 1 << 12)
            var found: [SandboxItems.Mount] = []
            var credentials: [(String, [UInt8])] = []
            specification.forEach { tag, payload in
                if tag == FAF_SPEC_MOUNT.rawValue, let mount = SandboxItems.mount(payload) { found.append(mount) }
                if tag == FAF_SPEC_CREDENTIAL.rawValue, let one = SandboxItems.credential(payload) {
                    credentials.append((String(cString: one.name), [UInt8](one.content)))
                }
            }
            #expect(found.map { String(cString: $0.path) } == mounts.map(\.path) + ["/run/n"])
            #expect(
                found.map { String(cString: $0.source) } == ["", "/run/empty", "", "/var/tmp/x/tmp", "", "", ""])
            #expect(found.map(\.kind) == [1, 3, 4, 5, 6, 7, 2])
            #expect(found.map(\.mode) == [0, 0o111, 0o1777, 0, 0, 0, 0])
            #expect(found.map(\.flags) == [0, 0, 0, 0, 0, 0, FAF_MOUNT_MAKE.rawValue])
            #expect(credentials.map(\.0) == ["a.b", "empty", "..."])
            #expect(credentials.map(\.1) == [[0, 1, 0], [], [7]])
        }
    }

    @Test func `a damaged mount is no mount`() {
        func mount(_ texts: String, length: Int) -> Bool {
            let head = faf_spec_mount(kind: 1, flags: 0, mode: 0, path_length: UInt32(length))
            let bytes = withUnsafeBytes(of: head) { [UInt8]($0) } + Array(texts.utf8)
            return bytes.withUnsafeBytes { SandboxItems.mount($0) != nil }
        }
        #expect(mount("/a\0\0", length: 2) && mount("/a\0/b\0", length: 2))
        for (texts, length) in [
            ("", 0), ("\0\0", 0), ("/a\0", 2), ("/a\0\0", 3), ("/a\0\0", 1), ("a/\0\0", 2), ("/a\0b\0", 2),
            ("/a\0/b", 2), ("/a\0/\0b\0", 2), ("/a", 2), ("/a\0\0", 5000),
        ] { #expect(!mount(texts, length: length), "\(texts.debugDescription) \(length)") }
        #expect([UInt8](repeating: 0x2F, count: 15).withUnsafeBytes { SandboxItems.mount($0) == nil })
    }

    @Test func `a credential has a name that stays in its directory`() {
        func credential(_ text: String) -> Bool {
            Array(text.utf8).withUnsafeBytes { SandboxItems.credential($0) != nil }
        }
        for good in ["a\0", "a\0b", "..a\0", "...\0x", "a\0/b\0"] { #expect(credential(good)) }
        for bad in [
            "", "\0", "\0x", ".\0x", "..\0x", "a/b\0x", "/\0", "a", String(repeating: "a", count: 256) + "\0",
        ] { #expect(!credential(bad), "\(bad.debugDescription)") }
    }
}
