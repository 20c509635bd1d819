import LinuxSystem
import ShimProtocol
import TaskModel
import Testing

@testable import Launcher

@Suite struct MountPlanTests {
    private let links = ["/link": "/srv/app", "/var/run": "/run", "/bin": "/usr/bin", "/tmp": "/tmp"]
    private let missing: Set = ["/efi", "/lib32", "/libx32", "/gone"]

    private func plan(credentials: Bool = false, _ set: (inout Sandbox) -> Void) throws(LaunchFailure) -> [String] {
        var sandbox = Sandbox()
        set(&sandbox)
        let needs = MountPlan.Needs(
            io: "/var/lib/faf/io/17.1", notifySocket: "/run/faf/notify/n",
            credentials: credentials ? "/run/faf/credentials" : nil, emptyFile: "/run/faf/empty",
            temporaries: [("/tmp", "/tmp/x/tmp"), ("/var/tmp", "/var/tmp/x/tmp")])
        let plan = MountPlan(settings: sandbox, needs: needs) { path throws(SystemError) in
            if missing.contains(path) { return nil }
            return links[path] ?? path
        }
        return try plan.mounts().map { mount in
            let kind =
                switch mount.kind {
                case .readOnly: "ro"
                case .readWrite: "rw"
                case .hidden(let mode, _): "hidden \(String(mode, radix: 8))"
                case .memory: "memory"
                case .directory(let source): source
                case .devices: "devices"
                case .credentials: "credentials"
                }
            return "\(mount.path) \(kind)" + (mount.isMade ? " made" : "")
        }
    }

    private func paths(_ paths: String...) -> [Sandbox.Path] { paths.map { .init(path: $0, isOptional: false) } }

    @Test func `what asks for nothing gets nothing`() throws {
        #expect(try plan { _ in } == [])
        #expect(try plan { $0.readWritePaths = paths("/srv") } == [])
    }

    @Test func `parents come first, and what changes nothing is left out`() throws {
        let found = try plan {
            $0.readOnlyPaths = paths("/srv/app/b/c", "/srv", "/srv-x", "/srv/app/b/d")
            $0.readWritePaths = paths("/srv/app/b", "/srv/app/b/e", "/opt")
        }
        #expect(found == ["/srv ro", "/srv/app/b rw", "/srv/app/b/c ro", "/srv/app/b/d ro", "/srv-x ro"])
    }

    @Test func `of two for one path the stricter counts, also behind a link`() throws {
        let found = try plan {
            $0.readWritePaths = paths("/srv/app", "/srv/a")
            $0.readOnlyPaths = paths("/link", "/srv/b", "/srv/a")
            $0.inaccessiblePaths = paths("/srv/b")
        }
        #expect(found == ["/srv/a ro", "/srv/app ro", "/srv/b hidden 0"])
    }

    @Test func `what is left to ProtectHome= is its alone`() throws {
        #expect(
            try plan { $0.protectSystem = .strict } == [
                "/ ro", "/dev rw", "/home rw", "/proc rw", "/root rw", "/run/user rw", "/sys rw",
                "/var/lib/faf/io/17.1 rw",
            ])
        let found = try plan {
            $0.protectSystem = .strict
            $0.protectHome = .readOnly
        }
        #expect(found == ["/ ro", "/dev rw", "/proc rw", "/sys rw", "/var/lib/faf/io/17.1 rw"])
        #expect(try plan { $0.protectHome = .yes } == ["/home hidden 0", "/root hidden 0", "/run/user hidden 0"])
    }

    @Test func `links of a merged system are one directory`() throws {
        let found = try plan { $0.protectSystem = .full }
        #expect(found == ["/boot ro", "/etc ro", "/lib ro", "/lib64 ro", "/sbin ro", "/usr ro"])
    }

    @Test func `what a run needs is kept, and can be reached`() throws {
        var found = try plan(credentials: true) { $0.inaccessiblePaths = paths("/run", "/var/lib") }
        #expect(
            found == [
                "/run hidden 111", "/var/lib hidden 111", "/var/lib/faf/io/17.1 rw made", "/run/faf/notify/n rw made",
                "/run/faf/credentials credentials made",
            ])
        found = try plan(credentials: true) { $0.readOnlyPaths = paths("/var/lib/faf", "/run") }
        #expect(
            found == [
                "/run ro", "/var/lib/faf ro", "/var/lib/faf/io/17.1 rw",
                "/run/faf/credentials credentials",
            ])
        #expect(try plan(credentials: true) { _ in } == ["/run/faf/credentials credentials"])
    }

    @Test func `within what is hidden nothing is left to be done`() throws {
        let found = try plan {
            $0.inaccessiblePaths = paths("/srv", "/srv/app/x")
            $0.readOnlyPaths = paths("/srv/app")
            $0.readWritePaths = paths("/srv/app/y")
        }
        #expect(found == ["/srv hidden 0"])
    }

    @Test func `private directories replace the host's`() throws {
        #expect(try plan { $0.privateTmp = .yes } == ["/tmp /tmp/x/tmp", "/var/tmp /var/tmp/x/tmp"])
        let found = try plan {
            $0.privateTmp = .disconnected
            $0.privateDevices = true
            $0.readOnlyPaths = paths("/", "/dev/shm")
        }
        #expect(
            found == [
                "/ ro", "/dev devices", "/dev/shm ro", "/tmp memory", "/var/tmp memory", "/var/lib/faf/io/17.1 rw",
            ])
    }

    @Test func `what cannot be is refused by name`() {
        func refusal(_ set: (inout Sandbox) -> Void) -> String {
            do throws(LaunchFailure) { return "\(try plan(set))" } catch { return error.message }
        }
        #expect(refusal { $0.readOnlyPaths = paths("/gone") } == "ReadOnlyPaths=/gone: there is no such file")
        #expect(refusal { $0.readOnlyPaths = [.init(path: "/gone", isOptional: true)] } == "[]")
        let inTmp = refusal {
            $0.privateTmp = .yes
            $0.readWritePaths = paths("/tmp/mine")
        }
        #expect(inTmp == "ReadWritePaths=/tmp/mine: it lies in /tmp, which is empty with PrivateTmp=")
        let many = refusal { $0.readOnlyPaths = (0...200).map { .init(path: "/srv/\($0)", isOptional: false) } }
        #expect(many == "the unit lists more than 200 paths")
    }

    @Test func `rights that are missing are named with the setting that wants them`() {
        func refusal(_ has: CapabilitySet, isOwnMode: Bool = false, _ set: (inout Sandbox) -> Void) -> String? {
            var sandbox = Sandbox()
            set(&sandbox)
            do throws(LaunchFailure) {
                try SandboxRights.check(sandbox, isOwnMode: isOwnMode, has: has)
                return nil
            } catch {
                return error.message
            }
        }
        #expect(refusal(.all) { $0.privateNetwork = true } == nil)
        #expect(refusal([], isOwnMode: true) { $0.restrictSUIDSGID = true } == nil)
        #expect(
            refusal(.sysAdmin) {
                $0.privateNetwork = true
                $0.protectHome = .yes
            } == "PrivateNetwork= cannot be enforced: fafd has no CAP_NET_ADMIN")
        #expect(
            refusal(.all, isOwnMode: true) { $0.privateTmp = .yes }
                == "PrivateTmp= cannot be enforced by a supervisor that is not root")
        #expect(throws: LaunchFailure.self) { try SandboxRights.known(CapabilitySet(rawValue: 1 << 40), last: 39) }
        #expect(
            (try? SandboxRights.known(.all.subtracting(CapabilitySet(rawValue: 1 << 40)), last: 39))?.rawValue == 1
                << 40 - 1)
    }
}
