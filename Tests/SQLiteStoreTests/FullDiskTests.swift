import Foundation
import Glibc
import Store
import StoreConformance
import TaskModel
import Testing

@testable import SQLiteStore

/// Needs root: mounts a small tmpfs.
@Suite(.enabled(if: geteuid() == 0 && SmallDisk.isPossible, "needs root, to mount a small tmpfs"))
struct FullDiskTests {
    @Test func `a full disk refuses by name, can be read, and recovers without a restart`() async throws {
        let disk = try SmallDisk(megabytes: 2)
        let store = try SQLiteStore(path: disk.path + "/faf.db")
        var stored: Int64 = 0
        try await store.insert(StoreConformance.sampleRun(1, state: .running))
        try disk.fill()
        var refusal: StoreError?
        for number in 2...400 {
            do throws(StoreError) {
                try await store.insert(StoreConformance.sampleRun(Int64(number), state: .running))
                stored = Int64(number)
            } catch {
                refusal = error
                break
            }
        }
        guard case .full(let message) = refusal else {
            Issue.record("\(String(describing: refusal)) instead of full")
            return
        }
        let refused = max(stored, 1) + 1
        #expect(message.contains("insert run \(refused)") && message.contains(disk.path))
        #expect(try await store.run(RunID(rawValue: refused)) == nil)
        #expect(try await store.activeRuns().count == Int(max(stored, 1)))

        try disk.empty()
        try await store.insert(StoreConformance.sampleRun(refused, state: .running))
        #expect(try await store.run(RunID(rawValue: refused)) != nil)
        await store.close()
    }

    @Test func `a database can be opened and read on a full disk, and takes an end`() async throws {
        let disk = try SmallDisk(megabytes: 2)
        var store = try SQLiteStore(path: disk.path + "/faf.db")
        for number in 1...20 { try await store.insert(StoreConformance.sampleRun(Int64(number), state: .running)) }
        await store.close()
        try disk.fill()
        store = try SQLiteStore(path: disk.path + "/faf.db")
        #expect(try await store.activeRuns().count == 20)
        #expect(try await store.highestNumber()?.rawValue == 20)
        // The log of before is still there to be written over.
        var run = StoreConformance.sampleRun(7, state: .running)
        StoreConformance.end(&run, as: .failed)
        try await store.finish(run)
        #expect(try await store.run(run.id) == run)
        await store.close()
    }

    @Test func `after a crash it can be opened and read on a full disk`() async throws {
        let disk = try SmallDisk(megabytes: 2)
        let crashed = try SQLiteStore(path: disk.path + "/faf.db")
        for number in 1...20 { try await crashed.insert(StoreConformance.sampleRun(Int64(number), state: .running)) }
        // What a killed process leaves; the files of the living one cannot be opened a second time in this process.
        let copy = try SmallDisk(megabytes: 2)
        for name in ["faf.db", "faf.db-wal", "faf.db-shm"] { try disk.copy(name, to: copy) }
        await crashed.close()
        try copy.fill()
        let store = try SQLiteStore(path: copy.path + "/faf.db")
        #expect(try await store.activeRuns().count == 20)
        await store.close()
    }

    @Test func `a database cannot be made on a full disk and the error says so`() async throws {
        let disk = try SmallDisk(megabytes: 2)
        try disk.fill()
        do {
            _ = try SQLiteStore(path: disk.path + "/faf.db")
            Issue.record("it was made")
        } catch {
            guard case .full = error else {
                Issue.record("\(error) instead of full")
                return
            }
        }
    }
}

/// A tmpfs of its own.
final class SmallDisk: Sendable {
    let path: String

    /// Containers may be root and not allowed to mount.
    static let isPossible: Bool = (try? SmallDisk(megabytes: 1)) != nil

    init(megabytes: Int) throws {
        path = NSTemporaryDirectory() + "faf-disk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        if mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m,mode=0700") != 0 {
            rmdir(path)
            throw POSIXError(.EPERM)
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }

    /// Takes every byte that is left.
    func fill() throws {
        let descriptor = open(path + "/ballast", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
    }

    func empty() throws { try FileManager.default.removeItem(atPath: path + "/ballast") }

    func copy(_ name: String, to target: SmallDisk) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
        try data.write(to: URL(fileURLWithPath: target.path + "/" + name))
    }
}
