import Lifecycle
import TaskModel

extension HotPath {
    /// A run from its fire to its end, as fafd takes it through the machine.
    static func machineSteps() -> HotPath {
        let boot = BootID(high: 1, low: 1)
        let now = Timestamp(microseconds: 43_200_000_000)
        let context = EventContext(
            now: Moment(realtime: now, boottime: 1_000_000_000, boot: boot), fresh: InvocationID(high: 9, low: 9),
            random: 0)
        let run = sampleRun(queuedAt: now, boot: boot)
        let events: [RunEvent] =
            [.committed, .prepared(shimPID: 4711)]
            + [.passed, .started, .exited, .emptied].map { phase in
                .found(.observation(sampleObservation(phase, at: now, boot: boot), isEnd: phase == .emptied))
            } + [.endStored]
        return HotPath(name: "a run through the machine (\(events.count) steps)", times: 2000) {
            var (machine, effects) = RunMachine.fire(run, boot: boot)
            var count = effects.count
            for event in events {
                effects = machine.handle(event, context)
                count += effects.count
            }
            guard machine.isOver else { throw Unexpected() }
            return count
        }
    }
}

private func sampleRun(queuedAt: Timestamp, boot: BootID) -> Run {
    Run(
        id: RunID(rawValue: 17), task: "transcode", parameters: [],
        settings: TaskSettings(
            command: .init(path: "/srv/job", arguments: ["/srv/job"], expandsEnvironment: true)),
        identity: RunIdentity(uid: 2001, gid: 2001, groups: [], userName: "app", home: "/", shell: "/bin/sh"),
        rights: RunRights(firedBy: 2001, users: [2001], groups: []),
        script: CheckedScript(configuredPath: "/srv/job", realPath: "/srv/job", device: 1, inode: 2, owner: 2001),
        priority: 10, state: .starting, queuedAt: queuedAt,
        attempts: [Attempt(number: 1, invocation: InvocationID(high: 7, low: 7), boot: boot)])
}

func sampleObservation(_ phase: AttemptObservation.Phase, at now: Timestamp, boot: BootID) -> AttemptObservation {
    var observation = AttemptObservation(
        run: RunID(rawValue: 17), number: 1, invocation: InvocationID(high: 7, low: 7), boot: boot, phase: phase)
    observation.shimPID = phase == .emptied ? nil : 4711
    if phase >= .started { observation.startedAt = now }
    if phase >= .exited {
        observation.exit = .exited(code: 0)
        observation.exitedAt = now
    }
    if phase == .emptied { observation.endedAt = now }
    return observation
}
