import Foundation
import GRDB
import Store
import TaskModel

/// What is written at once, or not at all.
enum Change: Sendable {
    case insert(Run, _ followers: [Run])
    case update(Run, _ followers: [Run])
    case reopen(Run, from: Run)
    case finish(Run, _ followers: [Run])
    case keep(OutputTail, InvocationID, RunID)
    /// Puts a run that cannot be read where it is in nobody's way, with what is wrong with it.
    case setAside(RunID, String)

    /// For messages: without what a caller passed.
    var description: String {
        switch self {
        case .insert(let run, _): "insert run \(run.id) of \(run.task)"
        case .update(let run, _): "update run \(run.id) of \(run.task)"
        case .reopen(let run, _): "reopen run \(run.id) of \(run.task)"
        case .finish(let run, _): "store the end of run \(run.id) of \(run.task)"
        case .keep(_, _, let run): "keep the last lines of run \(run)"
        case .setAside(let run, _): "set run \(run) aside"
        }
    }
}

/// Writes runs on one connection, within the transaction that it is in.
struct RunWriter {
    let connection: GRDB.Database
    let values: StoredValues

    func apply(_ change: Change) throws {
        switch change {
        case .insert(let run, let followers):
            try insert(run)
            try add(followers)
        case .update(let run, let followers):
            try update(run)
            try add(followers)
        case .reopen(let run, _): try reopen(run)
        case .finish(let run, let followers):
            if try finish(run) { try add(followers) }
        case .keep(let tail, let attempt, let run): try keep(tail, of: attempt, run)
        case .setAside(let run, let problem): try setAside(run, because: problem)
        }
    }

    /// Takes back an insert that was refused: its number is never given again, so the row is that one or none.
    func remove(_ run: RunID) throws {
        try execute("DELETE FROM runs WHERE id = ?", [run.rawValue])
    }

    /// Takes back that a run was opened again, which was refused; its row is final still if it never was.
    func close(_ former: Run) throws { _ = try replace(former) }

    /// Twice is no error: several readers may have met the same row.
    func setAside(_ run: RunID, because problem: String) throws {
        try execute(
            """
            INSERT INTO damaged (run, problem, runRow, attemptRows)
            SELECT id, ?, \(RunColumn.json),
                (SELECT json_group_array(\(AttemptColumn.json)) FROM attempts WHERE run = ?)
            FROM runs WHERE id = ?
            """, [problem, run.rawValue, run.rawValue])
        try remove(run)
    }

    /// A column that no other statement here writes.
    private func keep(_ tail: OutputTail, of attempt: InvocationID, _ run: RunID) throws {
        let json = String(decoding: try JSONEncoder().encode(tail), as: UTF8.self)
        try execute(
            "UPDATE attempts SET output = ? WHERE run = ? AND invocation = ?",
            [json, run.rawValue, attempt.description])
    }

    private func insert(_ run: Run) throws {
        do {
            try execute(Self.insertSQL, try row(run))
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_PRIMARYKEY {
            throw StoreError.conflict("run \(run.id) is there already")
        }
        for attempt in run.attempts { try execute(Self.upsertAttemptSQL, row(attempt, of: run.id)) }
    }

    private func update(_ run: Run) throws {
        if try !replace(run) {
            throw StoreError.conflict(
                try stateOfRow(run.id).map { "run \(run.id) is over already: \($0)" } ?? "there is no run \(run.id)")
        }
    }

    private func reopen(_ run: Run) throws {
        if try !replace(run, isFinal: true) {
            throw StoreError.conflict(
                try stateOfRow(run.id).map { "run \(run.id) is not over: \($0)" } ?? "there is no run \(run.id)")
        }
    }

    /// `false`: it is over already.
    private func finish(_ run: Run) throws -> Bool {
        if try replace(run) { return true }
        if try stateOfRow(run.id) == nil { throw StoreError.conflict("there is no run \(run.id)") }
        return false
    }

    /// One that is there was stored by a commit that seemed to fail.
    private func add(_ followers: [Run]) throws {
        for run in followers where try stateOfRow(run.id) == nil { try insert(run) }
    }

    /// `false`: there is no such row, or it is final (or with `isFinal`, it is not).
    private func replace(_ run: Run, isFinal: Bool = false) throws -> Bool {
        try execute(Self.updateSQL, Array(try row(run).dropFirst()) + [run.id.rawValue, isFinal ? 1 : 0])
        if connection.changesCount == 0 { return false }
        for attempt in run.attempts { try execute(Self.upsertAttemptSQL, row(attempt, of: run.id)) }
        let kept = (run.attempts.first?.number ?? 0, run.attempts.last?.number ?? -1)
        try execute(
            "DELETE FROM attempts WHERE run = ? AND (number < ? OR number > ?)",
            [run.id.rawValue, Int64(kept.0), Int64(kept.1)])
        return true
    }

    private func stateOfRow(_ id: RunID) throws -> String? {
        try String.fetchOne(
            try connection.cachedStatement(sql: "SELECT state FROM runs WHERE id = ?"), arguments: [id.rawValue])
    }

    private func execute(_ sql: String, _ values: [(any DatabaseValueConvertible)?]) throws {
        try connection.cachedStatement(sql: sql).execute(arguments: StatementArguments(values))
    }

    private static let insertSQL = """
        INSERT INTO runs (\(RunColumn.list)) VALUES (\(RunColumn.allCases.map { _ in "?" }.joined(separator: ", ")))
        """

    private static let updateSQL = """
        UPDATE runs SET \(RunColumn.allCases.dropFirst().map { "\($0) = ?" }.joined(separator: ", "))
        WHERE id = ? AND isFinal = ?
        """

    /// Earlier attempts of a run with many do not change: they are compared, not written.
    private static let upsertAttemptSQL: String = {
        let values = AttemptColumn.allCases.dropFirst(2)
        return """
            INSERT INTO attempts (\(AttemptColumn.list))
            VALUES (\(AttemptColumn.allCases.map { _ in "?" }.joined(separator: ", ")))
            ON CONFLICT (run, number) DO UPDATE SET \(values.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
            WHERE \(values.map { "\($0) IS NOT excluded.\($0)" }.joined(separator: " OR "))
            """
    }()

    private func row(_ run: Run) throws -> [(any DatabaseValueConvertible)?] {
        let settings = try values.id(of: run.settings, in: connection)
        let identity = try values.id(of: run.identity, in: connection)
        let retry = try run.retry.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        let trigger = try run.trigger.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        return RunColumn.allCases.map { column in
            switch column {
            case .id: run.id.rawValue
            case .task: run.task
            case .state: run.state.rawValue
            case .isFinal: run.state.isFinal ? 1 : 0
            case .priority: Int64(run.priority)
            case .parameters: ParameterText.encode(run.parameters)
            case .settings: settings
            case .identity: identity
            case .firedBy: Int64(run.rights.firedBy)
            case .users: IDList.encode(run.rights.users.sorted())
            case .groups: IDList.encode(run.rights.groups.sorted())
            case .configuredPath: run.script.configuredPath
            case .realPath: run.script.realPath
            case .device: Int64(bitPattern: run.script.device)
            case .inode: Int64(bitPattern: run.script.inode)
            case .owner: Int64(run.script.owner)
            case .reasonKind: run.reason?.kind.rawValue
            case .reasonText: run.reason?.text
            case .status: run.status
            case .progressDone: run.progress.map { Int64(bitPattern: $0.done) }
            case .progressTotal: run.progress.map { Int64(bitPattern: $0.total) }
            case .resultText: run.resultText
            case .queuedAt: run.queuedAt.microseconds
            case .startedAt: run.startedAt?.microseconds
            case .endedAt: run.endedAt?.microseconds
            case .retry: retry
            case .followsOn: trigger
            }
        }
    }

    private func row(_ attempt: Attempt, of run: RunID) throws -> [(any DatabaseValueConvertible)?] {
        let exit = attempt.exit.map(Self.row)
        let usage = attempt.usage
        let details = try AttemptDetails(attempt).map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        return AttemptColumn.allCases.map { column in
            switch column {
            case .run: run.rawValue
            case .number: Int64(attempt.number)
            case .invocation: attempt.invocation.description
            case .boot: attempt.boot.description
            case .state: attempt.state?.rawValue
            case .reasonKind: attempt.reason?.kind.rawValue
            case .reasonText: attempt.reason?.text
            case .shimPID: attempt.shimPID.map { Int64($0) }
            case .mainPID: attempt.mainPID.map { Int64($0) }
            case .exitKind: exit?.kind.rawValue
            case .exitCode: exit?.code
            case .exitStep: exit?.step
            case .userMicroseconds: (usage?.userMicroseconds).map { Int64(bitPattern: $0) }
            case .systemMicroseconds: (usage?.systemMicroseconds).map { Int64(bitPattern: $0) }
            case .maxResidentBytes: (usage?.maxResidentBytes).map { Int64(bitPattern: $0) }
            case .memoryPeakBytes: (usage?.memoryPeakBytes).map { Int64(bitPattern: $0) }
            case .cgroupMicroseconds: (usage?.cgroupMicroseconds).map { Int64(bitPattern: $0) }
            case .startedAt: attempt.startedAt?.microseconds
            case .endedAt: attempt.endedAt?.microseconds
            case .details: details
            }
        }
    }

    private static func row(_ exit: ProcessExit) -> (kind: ExitKind, code: Int64?, step: String?) {
        switch exit {
        case .exited(let code): (.exited, Int64(code), nil)
        case .signaled(let signal, let coreDumped): (coreDumped ? .dumped : .killed, Int64(signal), nil)
        case .notStarted(let step, let errno): (.notStarted, Int64(errno), step)
        case .unknown: (.unknown, nil, nil)
        }
    }
}
