import Glibc
import Testing

@testable import LinuxSystem

struct CgroupMountTests {
    @Test func `the hierarchy is found on hybrid and pure systems`() {
        let hybrid = """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw
            """
        #expect(CgroupMount.parse(mountinfo: hybrid) == CgroupMount(point: "/sys/fs/cgroup/unified", root: "/"))
        let odd = "41 31 0:38 /a\\040b /mnt/c\\134d rw - cgroup2 none rw"
        #expect(CgroupMount.parse(mountinfo: odd) == CgroupMount(point: "/mnt/c\\d", root: "/a b"))
        #expect(CgroupMount.parse(mountinfo: "1 2 0:1 / / rw - ext4 /dev/sda rw\n\n-\n") == nil)
    }

    @Test func `the own cgroup is told as a path`() {
        let mount = CgroupMount(point: "/sys/fs/cgroup", root: "/")
        #expect(mount.path(inCgroupFile: "9:name=systemd:/\n0::/\n") == "/sys/fs/cgroup")
        #expect(mount.path(inCgroupFile: "0::/a.slice/b.service\n") == "/sys/fs/cgroup/a.slice/b.service")
        #expect(mount.path(inCgroupFile: "0::/../x\n") == nil)
        #expect(mount.path(inCgroupFile: "9:cpu:/\n") == nil)
        let bound = CgroupMount(point: "/cg", root: "/box")
        #expect(bound.path(inCgroupFile: "0::/box/a\n") == "/cg/a")
        #expect(bound.path(inCgroupFile: "0::/boxer\n") == nil)
    }
}

@Suite(.enabled(if: geteuid() == 0 && CgroupMount.isThere, "needs root and cgroup v2"))
struct CgroupTests {
    @Test func `all processes are killed and the directory goes with those below`() throws {
        let mount = try #require(try CgroupMount.find())
        let cgroup = Cgroup(path: mount.point + "/faf-linux-test-\(getpid())")
        try cgroup.make()
        try cgroup.child("a").make()
        try cgroup.child("a").child("b").make()
        let child = try start(["/bin/sleep", "1000"])
        try Files.write(cgroup.path + "/a/b/cgroup.procs", String(child))
        #expect(try cgroup.isPopulated() == true)
        #expect(try cgroup.child("a").child("b").processes() == [child])
        #expect(throws: SystemError.self) { try cgroup.remove() }
        try cgroup.kill()
        var status: Int32 = 0
        waitpid(child, &status, 0)
        #expect(status == SIGKILL)
        #expect(try cgroup.isPopulated() == false)
        try cgroup.remove()
        #expect(!cgroup.exists)
        try cgroup.remove()
        try cgroup.kill()
        #expect(try cgroup.isPopulated() == nil)
    }
}

extension CgroupMount {
    static var isThere: Bool { (try? find()) ?? nil != nil }
}
