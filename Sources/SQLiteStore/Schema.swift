import GRDB
import TaskModel

/// The tables, and how they came to be. A migration that was released is never changed: a new one follows it. A database
/// that knows a migration which is not listed here was written by a newer version.
///
/// - `runs`: one row for each run. `isFinal` follows from `state`; it is there for the index.
/// - `attempts`: the launches of a run.
/// - `settings`: what a run's unit said, as JSON, each distinct value once. `path` (the command's) narrows the search.
/// - `identities`: the ids that runs have run with, each distinct value once.
/// - `damaged`: runs whose rows could not be read, as JSON with the names of the columns, and what was wrong with them.
///
/// Times are µs since 1970. Unsigned 64-bit values are stored with the same bits. Sets and lists of ids are decimal
/// numbers with commas between. `parameters` is a JSON array of `[name, kind, text]`, `retry` a `RetryState`, `followsOn` a `RunTrigger` as JSON.
/// `output`, which is no part of the row, is an `OutputTail` as JSON.
/// `details` is what else is known of an attempt and nothing is looked for by: `AttemptDetails` as JSON.
enum Schema {
    /// "faf" and a zero, so that `file` knows it and no other program's database is taken for ours.
    static let applicationID: Int32 = 0x6661_6600

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-runs") { database in
            try database.execute(sql: "PRAGMA application_id = \(applicationID)")
            try database.execute(sql: version1)
        }
        migrator.registerMigration("2-retries") { database in
            try database.execute(sql: "ALTER TABLE runs ADD COLUMN retry TEXT")
        }
        migrator.registerMigration("3-details") { database in
            try database.execute(sql: "ALTER TABLE attempts ADD COLUMN details TEXT")
        }
        migrator.registerMigration("4-followers") { database in
            try database.execute(sql: "ALTER TABLE runs ADD COLUMN followsOn TEXT")
        }
        migrator.registerMigration("5-output") { database in
            try database.execute(sql: "ALTER TABLE attempts ADD COLUMN output TEXT")
        }
        return migrator
    }

    private static let version1 = """
        CREATE TABLE settings (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL,
            json TEXT NOT NULL
        ) STRICT;
        CREATE INDEX settingsByPath ON settings(path);

        CREATE TABLE identities (
            id INTEGER PRIMARY KEY,
            uid INTEGER NOT NULL,
            gid INTEGER NOT NULL,
            groups TEXT NOT NULL,
            userName TEXT NOT NULL,
            home TEXT NOT NULL,
            shell TEXT NOT NULL,
            UNIQUE (uid, gid, groups, userName, home, shell)
        ) STRICT;

        CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            task TEXT NOT NULL,
            state TEXT NOT NULL,
            isFinal INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            parameters TEXT NOT NULL,
            settings INTEGER NOT NULL REFERENCES settings(id),
            identity INTEGER NOT NULL REFERENCES identities(id),
            firedBy INTEGER NOT NULL,
            users TEXT NOT NULL,
            groups TEXT NOT NULL,
            configuredPath TEXT NOT NULL,
            realPath TEXT NOT NULL,
            device INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            owner INTEGER NOT NULL,
            reasonKind TEXT,
            reasonText TEXT,
            status TEXT,
            progressDone INTEGER,
            progressTotal INTEGER,
            resultText TEXT,
            queuedAt INTEGER NOT NULL,
            startedAt INTEGER,
            endedAt INTEGER
        ) STRICT;
        CREATE INDEX runsActive ON runs(id) WHERE isFinal = 0;
        CREATE INDEX runsByTask ON runs(task, id);

        CREATE TABLE attempts (
            run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            invocation TEXT NOT NULL,
            boot TEXT NOT NULL,
            state TEXT,
            reasonKind TEXT,
            reasonText TEXT,
            shimPID INTEGER,
            mainPID INTEGER,
            exitKind TEXT,
            exitCode INTEGER,
            exitStep TEXT,
            userMicroseconds INTEGER,
            systemMicroseconds INTEGER,
            maxResidentBytes INTEGER,
            memoryPeakBytes INTEGER,
            cgroupMicroseconds INTEGER,
            startedAt INTEGER,
            endedAt INTEGER,
            PRIMARY KEY (run, number)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE damaged (
            run INTEGER NOT NULL,
            problem TEXT NOT NULL,
            runRow TEXT NOT NULL,
            attemptRows TEXT NOT NULL
        ) STRICT;
        """
}

/// The columns of `runs`, in the order in which they are written and read.
enum RunColumn: Int, CaseIterable {
    case id, task, state, isFinal, priority, parameters, settings, identity, firedBy, users, groups, configuredPath,
        realPath, device, inode, owner, reasonKind, reasonText, status, progressDone, progressTotal, resultText,
        queuedAt, startedAt, endedAt, retry, followsOn

    static let list = allCases.map { "\($0)" }.joined(separator: ", ")
    /// The row as a JSON object, in SQL.
    static let json = "json_object(\(allCases.map { "'\($0)', \($0)" }.joined(separator: ", ")))"
}

/// The columns of `attempts`, in the order in which they are written and read.
enum AttemptColumn: Int, CaseIterable {
    case run, number, invocation, boot, state, reasonKind, reasonText, shimPID, mainPID, exitKind, exitCode, exitStep,
        userMicroseconds, systemMicroseconds, maxResidentBytes, memoryPeakBytes, cgroupMicroseconds, startedAt, endedAt,
        details

    static let list = allCases.map { "\($0)" }.joined(separator: ", ")
    /// The row as a JSON object, in SQL.
    static let json = "json_object(\(allCases.map { "'\($0)', \($0)" }.joined(separator: ", ")))"
}

/// The column `details` of an attempt. A field that is not there is one that an older version did not know.
struct AttemptDetails: Codable {
    var counters: CgroupCounters?
    var conditions: [ConditionVerdict]?
    var stop: AttemptStop?
    var outputStart: UInt64?

    /// `nil`: nothing to be kept.
    init?(_ attempt: Attempt) {
        counters = attempt.usage?.counters
        conditions = attempt.conditions
        stop = attempt.stop
        outputStart = attempt.outputStart
        if counters == nil, conditions == nil, stop == nil, outputStart == nil { return nil }
    }
}
