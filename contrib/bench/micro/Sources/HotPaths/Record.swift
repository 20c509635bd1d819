import ShimProtocol
import TaskModel

extension HotPath {
    /// What fafd does with a record when somebody asks for the run, without the file.
    static func readRecord() -> HotPath {
        let now = Timestamp(microseconds: 43_200_000_000)
        var observation = sampleObservation(.started, at: now, boot: BootID(high: 1, low: 1))
        observation.mainPID = 4712
        observation.status = "18 of 30"
        observation.progress = Progress(done: 18, total: 30)
        let bytes = AttemptRecord(
            observation: observation, origin: [UInt8](repeating: 9, count: 1500),
            cgroup: "/sys/fs/cgroup/faf.slice/faf-tasks.service/t/17.1", uid: 2001, madeAt: now
        ).encoded()
        return HotPath(name: "read a record", times: 2000) {
            guard let status = try AttemptRecord(decoding: bytes).observation.status else { throw Unexpected() }
            return status.utf8.count
        }
    }
}
