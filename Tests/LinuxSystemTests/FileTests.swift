import Glibc
import LinuxSystem
import Testing

struct FileTests {
    @Test func `a file is replaced as a whole and keeps its exact mode`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("next", "1000\n", mode: 0o666)
        try Files.replaceDurably(path, with: Array("2000\n".utf8), mode: 0o640)
        #expect(try Files.read(path) == Array("2000\n".utf8))
        #expect(try FileStatus.of(path: path)?.permissions == 0o640)
        #expect(try Files.list(directory.path) == ["next"])
    }

    @Test func `a replacement that cannot be written leaves the old file`() throws {
        let error = #expect(throws: SystemError.self) {
            try Files.replaceDurably("/proc/sys/kernel/nothing-here", with: [1])
        }
        #expect(error?.call == "open")
    }

    @Test func `what is not there is nil, what is too large is refused`() throws {
        let directory = try TemporaryDirectory()
        #expect(try Files.read(directory.path + "/none") == nil)
        let path = try directory.write("large", String(repeating: "x", count: 100))
        #expect(try Files.read(path, limit: 100)?.count == 100)
        let error = #expect(throws: SystemError.self) { _ = try Files.read(path, limit: 99) }
        #expect(error?.errno == ErrorNumber.tooLarge)
        #expect(error?.path == path)
    }

    @Test func `a directory is made with the exact mode whatever the umask`() throws {
        let directory = try TemporaryDirectory()
        let made = directory.path + "/a/b"
        try Files.makeDirectories(made, mode: 0o711)
        #expect(try FileStatus.of(path: made)?.permissions == 0o711)
        #expect(try Files.makeDirectory(made, mode: 0o700) == false)
        #expect(try FileStatus.of(path: made)?.permissions == 0o711)
    }

    @Test func `a lock keeps another process out and names its holder`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let lock = try FileLock.take(path)
        let isTaken = lock != nil
        #expect(isTaken)
        // POSIX locks do not meet inside one process: a child looks.
        let script =
            "import fcntl,sys\nf=open(sys.argv[1],'r+')\ntry:\n fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB)\n sys.exit(0)\nexcept OSError:\n sys.exit(3)\n"
        #expect(try run(["/usr/bin/python3", "-c", script, path]) == 3)
        _ = consume lock
        #expect(try run(["/usr/bin/python3", "-c", script, path]) == 0)
    }

    @Test func `without a holder nobody is named`() throws {
        let directory = try TemporaryDirectory()
        let file = try Files.open(directory.path + "/r", [.readWrite, .create])
        let holder = try file.lockHolder()
        #expect(holder == .nobody)
    }

    @Test func `sealed memory cannot be changed`() throws {
        let memory = try OwnedDescriptor.sealedMemory([1, 2, 3], name: "test")
        #expect(throws: SystemError.self) { try memory.writeAll([4]) }
        let bytes = try memory.readAll(limit: 10)
        #expect(bytes == [1, 2, 3])
    }
}

@Suite(.enabled(if: geteuid() == 0, "changes ids, needs root"))
struct UserFileTests {
    @Test func `a file is read with the rights of the run's user`() throws {
        let directory = try TemporaryDirectory()
        chmod(directory.path, 0o755)
        let open = try directory.write("open", "A=1\n", mode: 0o644)
        let secret = try directory.write("secret", "A=2\n", mode: 0o600)
        let grouped = try directory.write("grouped", "A=3\n", mode: 0o640)
        chown(grouped, 0, 2000)
        #expect(try UserFile.read(open, uid: 2002, gid: 2002, groups: [], limit: 100) == Array("A=1\n".utf8))
        let refused = #expect(throws: SystemError.self) {
            _ = try UserFile.read(secret, uid: 2002, gid: 2002, groups: [0], limit: 100)
        }
        #expect(refused?.errno == EACCES)
        #expect(throws: SystemError.self) {
            _ = try UserFile.read(grouped, uid: 2002, gid: 2002, groups: [], limit: 100)
        }
        #expect(try UserFile.read(grouped, uid: 2002, gid: 2002, groups: [2000], limit: 100) == Array("A=3\n".utf8))
        // And the own rights are back.
        #expect(try Files.read(secret) == Array("A=2\n".utf8))
        let own = try PeerCredentials.own()
        #expect(own.uid == 0)
    }

    @Test func `what is no plain file is refused without waiting`() throws {
        let directory = try TemporaryDirectory()
        chmod(directory.path, 0o755)
        let fifo = directory.path + "/fifo"
        mkfifo(fifo, 0o666)
        chmod(fifo, 0o666)
        for path in [fifo, directory.path, "/proc/self/environ", "/dev/zero"] {
            #expect(throws: SystemError.self) {
                _ = try UserFile.read(path, uid: 2002, gid: 2002, groups: [], limit: 10)
            }
        }
    }
}

@Suite(.enabled(if: geteuid() == 0, "changes owners, needs root"))
struct TrustedFileTests {
    @Test func `a file of root in directories of root is read`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.task", "[Task]\n")
        #expect(try TrustedFile.read(path, owner: 0) == .bytes(Array("[Task]\n".utf8)))
        #expect(try TrustedFile.read(directory.path + "/none", owner: 0) == nil)
    }

    @Test func `a writable file is refused and named`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.task", "", mode: 0o664)
        let refusal = #expect(throws: TrustedFileRefusal.self) { _ = try TrustedFile.read(path, owner: 0) }
        #expect(refusal?.message == "\(path) is writable by group or others (mode 664)")
        #expect(refusal?.remedy == "chmod go-w \(path)")
    }

    @Test func `a directory or file of somebody else is refused`() throws {
        let directory = try TemporaryDirectory()
        let inner = try directory.directory("d")
        let path = try directory.write("d/a.task", "")
        chown(inner, 2002, 2002)
        let refusal = #expect(throws: TrustedFileRefusal.self) { _ = try TrustedFile.read(path, owner: 0) }
        #expect(refusal?.culprit == inner)
        #expect(refusal?.problem == .owner(2002))
        #expect(try TrustedFile.read(path, owner: 2002) == .bytes([]))
    }

    @Test func `links are followed and looked at`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.task", "x")
        let link = directory.path + "/l.task"
        symlink("a.task", link)
        #expect(try TrustedFile.read(link, owner: 0) == .bytes([UInt8(ascii: "x")]))
        lchown(link, 2002, 2002)
        #expect(throws: TrustedFileRefusal.self) { _ = try TrustedFile.read(link, owner: 0) }
        let mask = directory.path + "/m.task"
        symlink("/dev/null", mask)
        #expect(try TrustedFile.read(mask, owner: 0) == .masked)
        let loop = directory.path + "/loop"
        symlink("loop", loop)
        let refusal = #expect(throws: TrustedFileRefusal.self) { _ = try TrustedFile.read(loop, owner: 0) }
        #expect(refusal?.problem == .tooManyLinks)
        _ = path
    }

    @Test func `a sticky directory may lie above, not around`() throws {
        let directory = try TemporaryDirectory()
        let sticky = try directory.directory("s", mode: 0o1777)
        let inner = try directory.directory("s/d")
        #expect(try TrustedFile.read(try directory.write("s/d/a.task", ""), owner: 0) == .bytes([]))
        let refusal = #expect(throws: TrustedFileRefusal.self) {
            _ = try TrustedFile.read(try directory.write("s/a.task", ""), owner: 0)
        }
        #expect(refusal?.culprit == sticky)
        _ = inner
    }

    @Test func `a fifo or a large file is refused without waiting`() throws {
        let directory = try TemporaryDirectory()
        let fifo = directory.path + "/fifo"
        mkfifo(fifo, 0o600)
        let refusal = #expect(throws: TrustedFileRefusal.self) { _ = try TrustedFile.read(fifo, owner: 0) }
        #expect(refusal?.problem == .notRegular)
        let large = try directory.write("large", "12345")
        let tooLarge = #expect(throws: TrustedFileRefusal.self) { _ = try TrustedFile.read(large, owner: 0, limit: 4) }
        #expect(tooLarge?.problem == .tooLarge(limit: 4))
    }
}
