import Lifecycle
import TaskModel

let thisBoot = BootID(high: 1, low: 1)
let otherBoot = BootID(high: 2, low: 2)
let noon = Timestamp(microseconds: 43_200_000_000)
let noonHere = Moment(realtime: noon, boottime: 1_000_000_000, boot: thisBoot)
let freshID = InvocationID(high: 9, low: 9)

func sampleRun(kind: TaskSettings.Kind = .simple, boot: BootID = thisBoot) -> Run {
    var settings = TaskSettings(command: .init(path: "/srv/job", arguments: ["/srv/job"], expandsEnvironment: true))
    settings.kind = kind
    return Run(
        id: RunID(rawValue: 17), task: "count", parameters: [], settings: settings,
        identity: RunIdentity(uid: 2001, gid: 2001, groups: [], userName: "alice", home: "/", shell: "/bin/sh"),
        rights: RunRights(firedBy: 2001, users: [2001], groups: []),
        script: CheckedScript(configuredPath: "/srv/job", realPath: "/srv/job", device: 1, inode: 2, owner: 2001),
        priority: 10, state: .starting, queuedAt: noon,
        attempts: [Attempt(number: 1, invocation: InvocationID(high: 7, low: 7), boot: boot)])
}

func observation(
    _ phase: AttemptObservation.Phase, held: Bool, boot: BootID = thisBoot, exit: ProcessExit? = nil
) -> AttemptObservation {
    var observation = AttemptObservation(
        run: RunID(rawValue: 17), number: 1, invocation: InvocationID(high: 7, low: 7), boot: boot, phase: phase)
    observation.shimPID = held ? 4711 : nil
    if phase >= .started { observation.startedAt = noon }
    if phase >= .exited {
        observation.exit = exit ?? .exited(code: 0)
        observation.exitedAt = noon
    }
    if phase == .emptied { observation.endedAt = noon }
    return observation
}

func found(
    _ phase: AttemptObservation.Phase, held: Bool, boot: BootID = thisBoot, exit: ProcessExit? = nil,
    isEnd: Bool = false
) -> RunEvent {
    .found(.observation(observation(phase, held: held, boot: boot, exit: exit), isEnd: isEnd))
}

extension RunMachine {
    mutating func handle(_ event: RunEvent) -> [RunEffect] {
        var fresh = freshID
        if let last = invocation, last.high == fresh.high { fresh = InvocationID(high: last.high, low: last.low + 1) }
        return handle(event, EventContext(now: noonHere, fresh: fresh, random: 0))
    }
}

extension [RunEffect] {
    /// The row that an effect stores as an end.
    var storedEnd: Run? {
        for case .storeEnd(let run, _) in self { return run }
        return nil
    }
}
