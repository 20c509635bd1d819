import Foundation
import GRDB
import GRDBSQLite
import Store
import TaskModel

/// Reads runs on one connection, within the transaction that it is in.
struct RunReader {
    let connection: GRDB.Database
    let values: StoredValues

    func highestNumber() throws -> RunID? {
        let sql = "SELECT max(id) FROM (SELECT max(id) AS id FROM runs UNION ALL SELECT max(run) FROM damaged)"
        return try Int64.fetchOne(connection, sql: sql).map { RunID(rawValue: $0) }
    }

    func runs(_ query: RunQuery) throws -> [Run] {
        var conditions: [String] = []
        var arguments: [any DatabaseValueConvertible] = []
        // As a literal: only then does SQLite see that the index of active runs fits.
        if let isFinal = query.isFinal { conditions.append("isFinal = \(isFinal ? 1 : 0)") }
        if let task = query.task {
            conditions.append("task = ?")
            arguments.append(task)
        }
        if let before = query.before {
            conditions.append("id < ?")
            arguments.append(before.rawValue)
        }
        let condition = conditions.isEmpty ? "TRUE" : conditions.joined(separator: " AND ")
        return try runs(where: condition, arguments, order: "id DESC", limit: query.limit)
    }

    func runs(
        where condition: String, _ arguments: [any DatabaseValueConvertible], order: String, limit: Int
    ) throws -> [Run] {
        let sql = "SELECT \(RunColumn.list) FROM runs WHERE \(condition) ORDER BY \(order) LIMIT ?"
        let statement = try connection.cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: StatementArguments(arguments + [Int64(limit)]))
        var runs: [Run] = []
        while try rows.next() != nil { runs.append(try run(statement)) }
        return runs
    }

    /// The active runs, and what is wrong with rows of theirs that cannot be read. Settings that cannot be are another
    /// matter and thrown: many runs share them, and rather this program is at fault.
    func activeRuns() throws -> (runs: [Run], damages: [RowDamage]) {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(RunColumn.list) FROM runs WHERE isFinal = 0 ORDER BY id")
        let rows = try Row.fetchCursor(statement)
        var runs: [Run] = []
        var damages: [RowDamage] = []
        while try rows.next() != nil {
            do { runs.append(try run(statement)) } catch let damage as RowDamage where damage.run != nil {
                damages.append(damage)
            }
        }
        return (runs, damages)
    }

    /// A row whose rights or state cannot be read is left out: `activeRuns` says what is wrong with it.
    func activeCounts() throws -> [ActiveCount] {
        // Not grouped, which would sort them: those beside each other are mostly alike.
        let statement = try connection.cachedStatement(
            sql: "SELECT state || ' ' || firedBy || ' ' || users || ' ' || groups FROM runs WHERE isFinal = 0")
        let rows = try Row.fetchCursor(statement)
        var counts: [ActiveCount] = []
        var last: String?
        while try rows.next() != nil {
            let fields = Fields(statement, name: "active runs") { _ in "rights" }
            guard let text = try? fields.text(0) else { continue }
            if text == last {
                counts[counts.count - 1].count += 1
                continue
            }
            let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard words.count == 4, let state = RunState(rawValue: words[0]), let firedBy = UInt32(words[1]),
                let users = IDList.decode(words[2]), let groups = IDList.decode(words[3])
            else { continue }
            last = text
            counts.append(
                ActiveCount(
                    state: state, rights: RunRights(firedBy: firedBy, users: Set(users), groups: Set(groups)), count: 1)
            )
        }
        return counts
    }

    func activeInvocations() throws -> Set<InvocationID> {
        let statement = try connection.cachedStatement(
            sql: "SELECT invocation FROM runs JOIN attempts ON run = id WHERE isFinal = 0")
        let rows = try Row.fetchCursor(statement)
        var found: Set<InvocationID> = []
        while try rows.next() != nil {
            let fields = Fields(statement, name: "attempt") { _ in "invocation" }
            if let id = try? fields.id128(0) { found.insert(id) }
        }
        return found
    }

    private func run(_ statement: Statement) throws -> Run {
        let id = RunID(rawValue: try Fields(statement, name: "a run", fieldName: { _ in "id" }).integer(0))
        let fields = Fields(statement, name: "run \(id)", run: id) { "\(RunColumn.allCases[$0])" }
        func column(_ column: RunColumn) -> Int { column.rawValue }

        guard let state = try fields.optionalWord(column(.state), RunState.self) else {
            throw fields.damage(column(.state), "missing")
        }
        guard try fields.integer(column(.isFinal)) == (state.isFinal ? 1 : 0) else {
            throw fields.damage(column(.isFinal), "does not fit the state \"\(state.rawValue)\"")
        }
        guard let parameters = ParameterText.decode(try fields.text(column(.parameters))) else {
            throw fields.damage(column(.parameters), "not a list of [name, kind, text]")
        }
        var run = Run(
            id: id, task: try fields.text(column(.task)), parameters: parameters,
            settings: try values.settings(try fields.integer(column(.settings)), in: connection),
            identity: try values.identity(try fields.integer(column(.identity)), in: connection),
            rights: RunRights(
                firedBy: try fields.uint32(column(.firedBy)), users: Set(try fields.idList(column(.users))),
                groups: Set(try fields.idList(column(.groups)))),
            script: CheckedScript(
                configuredPath: try fields.text(column(.configuredPath)), realPath: try fields.text(column(.realPath)),
                device: try fields.uint64(column(.device)), inode: try fields.uint64(column(.inode)),
                owner: try fields.uint32(column(.owner))),
            priority: Int(try fields.integer(column(.priority))), state: state,
            queuedAt: Timestamp(microseconds: try fields.integer(column(.queuedAt))), attempts: try attempts(of: id))
        run.reason = try fields.optionalReason(column(.reasonKind), column(.reasonText))
        run.status = try fields.optionalText(column(.status))
        if let done = try fields.optionalUInt64(column(.progressDone)) {
            run.progress = Progress(done: done, total: try fields.uint64(column(.progressTotal)))
        }
        run.resultText = try fields.optionalText(column(.resultText))
        run.startedAt = try fields.optionalTimestamp(column(.startedAt))
        run.endedAt = try fields.optionalTimestamp(column(.endedAt))
        if let json = try fields.optionalText(column(.retry)) {
            do { run.retry = try JSONDecoder().decode(RetryState.self, from: Data(json.utf8)) } catch {
                throw fields.damage(column(.retry), "no state of retries: \(error)")
            }
        }
        if let json = try fields.optionalText(column(.followsOn)) {
            do { run.trigger = try JSONDecoder().decode(RunTrigger.self, from: Data(json.utf8)) } catch {
                throw fields.damage(column(.followsOn), "no trigger: \(error)")
            }
        }
        return run
    }

    private func attempts(of run: RunID) throws -> [Attempt] {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(AttemptColumn.list) FROM attempts WHERE run = ? ORDER BY number")
        // Not by a cursor of GRDB's: to begin one takes longer than all the rest, and this is done for every run.
        let handle = statement.sqliteStatement
        defer { sqlite3_reset(handle) }
        sqlite3_reset(handle)
        var code = sqlite3_bind_int64(handle, 1, run.rawValue)
        var attempts: [Attempt] = []
        while code == SQLITE_OK || code == SQLITE_ROW {
            if code == SQLITE_ROW { attempts.append(try attempt(statement, of: run)) }
            code = sqlite3_step(handle)
        }
        guard code == SQLITE_DONE else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code),
                message: String(cString: sqlite3_errmsg(connection.sqliteConnection)))
        }
        return attempts
    }

    /// What makes no sense is as if it were not there: nothing depends on it.
    func tails(of run: RunID) throws -> [Int: OutputTail] {
        let statement = try connection.cachedStatement(
            sql: "SELECT number, output FROM attempts WHERE run = ? AND output IS NOT NULL")
        let rows = try Row.fetchCursor(statement, arguments: [run.rawValue])
        var tails: [Int: OutputTail] = [:]
        while try rows.next() != nil {
            let fields = Fields(statement, name: "attempt of run \(run)", run: run) { ["number", "output"][$0] }
            tails[Int(try fields.integer(0))] = try? JSONDecoder().decode(
                OutputTail.self, from: Data(try fields.text(1).utf8))
        }
        return tails
    }

    private func attempt(_ statement: Statement, of run: RunID) throws -> Attempt {
        let fields = Fields(statement, name: "attempt of run \(run)", run: run) { "\(AttemptColumn.allCases[$0])" }
        func column(_ column: AttemptColumn) -> Int { column.rawValue }

        var attempt = Attempt(
            number: Int(try fields.integer(column(.number))), invocation: try fields.id128(column(.invocation)),
            boot: try fields.id128(column(.boot)))
        attempt.state = try fields.optionalWord(column(.state), RunState.self)
        attempt.reason = try fields.optionalReason(column(.reasonKind), column(.reasonText))
        attempt.shimPID = try fields.optionalInt32(column(.shimPID))
        attempt.mainPID = try fields.optionalInt32(column(.mainPID))
        attempt.exit = try exit(fields)
        if let user = try fields.optionalUInt64(column(.userMicroseconds)) {
            attempt.usage = Usage(
                userMicroseconds: user, systemMicroseconds: try fields.uint64(column(.systemMicroseconds)),
                maxResidentBytes: try fields.uint64(column(.maxResidentBytes)),
                memoryPeakBytes: try fields.optionalUInt64(column(.memoryPeakBytes)),
                cgroupMicroseconds: try fields.optionalUInt64(column(.cgroupMicroseconds)))
        }
        if let json = try fields.optionalText(column(.details)) {
            do {
                let details = try JSONDecoder().decode(AttemptDetails.self, from: Data(json.utf8))
                attempt.usage?.counters = details.counters
                attempt.conditions = details.conditions
                attempt.stop = details.stop
                attempt.outputStart = details.outputStart
            } catch {
                throw fields.damage(column(.details), "no details of an attempt: \(error)")
            }
        }
        attempt.startedAt = try fields.optionalTimestamp(column(.startedAt))
        attempt.endedAt = try fields.optionalTimestamp(column(.endedAt))
        return attempt
    }

    private func exit(_ fields: Fields) throws -> ProcessExit? {
        let kind = AttemptColumn.exitKind.rawValue
        guard let word = try fields.optionalWord(kind, ExitKind.self) else { return nil }
        if word == .unknown { return .unknown }
        let code = try fields.integer(AttemptColumn.exitCode.rawValue)
        let outOfRange = fields.damage(AttemptColumn.exitCode.rawValue, "\(code) is out of range")
        if word == .notStarted {
            guard let errno = Int32(exactly: code) else { throw outOfRange }
            return .notStarted(step: try fields.text(AttemptColumn.exitStep.rawValue), errno: errno)
        }
        guard let byte = UInt8(exactly: code) else { throw outOfRange }
        return word == .exited ? .exited(code: byte) : .signaled(signal: byte, coreDumped: word == .dumped)
    }
}

/// How an attempt's process ended, in the words that systemd uses for `$EXIT_CODE` where it has them.
enum ExitKind: String {
    case exited, killed, dumped, unknown
    case notStarted = "not-started"
}
