import Testing

@testable import Journal

@Suite struct JournalQueryTests {
    private func query(cgroup: String? = "/f/t/17.1", unit: String? = "faf-tasks-17.1.service", pid: Int32? = 42)
        -> JournalQuery
    {
        JournalQuery(
            cgroup: cgroup, unit: unit, boot: "b0", uid: 2001, mainPID: pid, identifier: "count", from: 10_000_000,
            until: 20_000_000)
    }

    @Test func `an attempt's lines are those of its cgroup, its unit and its streams`() {
        #expect(
            query().alternatives(streams: ["s1"]) == [
                ["_STREAM_ID=s1"], ["_SYSTEMD_CGROUP=/f/t/17.1", "_BOOT_ID=b0"],
                ["_SYSTEMD_UNIT=faf-tasks-17.1.service", "_BOOT_ID=b0"],
            ])
    }

    @Test func `where nobody vouches for a unit, the main process does, in its time`() {
        let query = query(unit: nil)
        #expect(query.alternatives(streams: []).last?.first == "_PID=42")
        #expect(query.accepts(cgroup: nil, stream: nil, realtime: 15_000_000, known: []))
        #expect(!query.accepts(cgroup: nil, stream: nil, realtime: 7_000_000, known: []))
        #expect(!query.accepts(cgroup: nil, stream: nil, realtime: 51_000_000, known: []))
        #expect(!query.accepts(cgroup: "/other", stream: "s2", realtime: 15_000_000, known: ["s1"]))
        #expect(query.accepts(cgroup: "/f/t/17.1/inner", stream: "s1", realtime: 99_000_000, known: ["s1"]))
    }

    @Test func `nothing known of an attempt means no lines, not all`() {
        #expect(query(cgroup: nil, unit: nil, pid: nil).alternatives(streams: []) == [["_BOOT_ID=none"]])
    }
}
