import Foundation
import GRDB
import Synchronization
import TaskModel

/// Settings and identities: large, and the same for most runs. Each distinct one has a row of its own; here is what is
/// known of them, so that a fire neither encodes nor looks up, and a list decodes each once.
final class StoredValues: Sendable {
    private struct Known {
        var settings: [Int64: Shared<TaskSettings>] = [:]
        var settingsIDs: [TaskSettings: Int64] = [:]
        var identities: [Int64: RunIdentity] = [:]
        var identityIDs: [RunIdentity: Int64] = [:]
    }

    /// More than units have versions in use; beyond it, everything is read again.
    private static let limit = 500

    private let known = Mutex(Known())

    /// To be called when a transaction that may have added rows was rolled back.
    func forget() {
        known.withLock { $0 = Known() }
    }

    func id(of settings: TaskSettings, in connection: GRDB.Database) throws -> Int64 {
        if let id = known.withLock({ $0.settingsIDs[settings] }) { return id }
        let id = try storedID(of: settings, in: connection) ?? add(settings, to: connection)
        remember(Shared(wrappedValue: settings), id)
        return id
    }

    /// The same for all runs that have it.
    func settings(_ id: Int64, in connection: GRDB.Database) throws -> Shared<TaskSettings> {
        if let settings = known.withLock({ $0.settings[id] }) { return settings }
        let statement = try connection.cachedStatement(sql: "SELECT json FROM settings WHERE id = ?")
        guard let json = try String.fetchOne(statement, arguments: [id]) else {
            throw RowDamage(row: "settings \(id)", field: "id", problem: "there is no such row")
        }
        let settings = Shared(wrappedValue: try decode(json, id))
        // A reader may see what is later rolled back never: it reads committed rows only.
        remember(settings, id)
        return settings
    }

    func id(of identity: RunIdentity, in connection: GRDB.Database) throws -> Int64 {
        if let id = known.withLock({ $0.identityIDs[identity] }) { return id }
        let values: StatementArguments = [
            Int64(identity.uid), Int64(identity.gid), IDList.encode(identity.groups), identity.userName, identity.home,
            identity.shell,
        ]
        let search = try connection.cachedStatement(
            sql: """
                SELECT id FROM identities
                WHERE uid = ? AND gid = ? AND groups = ? AND userName = ? AND home = ? AND shell = ?
                """)
        let id: Int64
        if let stored = try Int64.fetchOne(search, arguments: values) {
            id = stored
        } else {
            try connection.cachedStatement(
                sql: "INSERT INTO identities (uid, gid, groups, userName, home, shell) VALUES (?, ?, ?, ?, ?, ?)"
            ).execute(arguments: values)
            id = connection.lastInsertedRowID
        }
        remember(identity, id)
        return id
    }

    func identity(_ id: Int64, in connection: GRDB.Database) throws -> RunIdentity {
        if let identity = known.withLock({ $0.identities[id] }) { return identity }
        let statement = try connection.cachedStatement(
            sql: "SELECT uid, gid, groups, userName, home, shell FROM identities WHERE id = ?")
        let rows = try Row.fetchCursor(statement, arguments: [id])
        guard try rows.next() != nil else {
            throw RowDamage(row: "identity \(id)", field: "id", problem: "there is no such row")
        }
        let fields = Fields(statement, name: "identity \(id)") {
            ["uid", "gid", "groups", "userName", "home", "shell"][$0]
        }
        let identity = RunIdentity(
            uid: try fields.uint32(0), gid: try fields.uint32(1), groups: try fields.idList(2),
            userName: try fields.text(3), home: try fields.text(4), shell: try fields.text(5))
        remember(identity, id)
        return identity
    }

    /// The encoded text does not serve as the key: the order in it of what is a set differs from process to process.
    private func storedID(of settings: TaskSettings, in connection: GRDB.Database) throws -> Int64? {
        let statement = try connection.cachedStatement(
            sql: "SELECT id, json FROM settings WHERE path = ? ORDER BY id DESC LIMIT 50")
        let rows = try Row.fetchCursor(statement, arguments: [settings.command.path])
        while try rows.next() != nil {
            let fields = Fields(statement, name: "settings") { ["id", "json"][$0] }
            let id = try fields.integer(0)
            // A row that cannot be read is some run's trouble, not the one's that is fired now.
            if let stored = try? decode(try fields.text(1), id), stored == settings { return id }
        }
        return nil
    }

    private func add(_ settings: TaskSettings, to connection: GRDB.Database) throws -> Int64 {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = String(decoding: try encoder.encode(settings), as: UTF8.self)
        try connection.cachedStatement(sql: "INSERT INTO settings (path, json) VALUES (?, ?)")
            .execute(arguments: [settings.command.path, json])
        return connection.lastInsertedRowID
    }

    private func decode(_ json: String, _ id: Int64) throws -> TaskSettings {
        do {
            return try JSONDecoder().decode(TaskSettings.self, from: Data(json.utf8))
        } catch {
            throw RowDamage(row: "settings \(id)", field: "json", problem: "\(error)")
        }
    }

    private func remember(_ settings: Shared<TaskSettings>, _ id: Int64) {
        known.withLock { known in
            if known.settings.count >= Self.limit { (known.settings, known.settingsIDs) = ([:], [:]) }
            known.settings[id] = settings
            known.settingsIDs[settings.wrappedValue] = id
        }
    }

    private func remember(_ identity: RunIdentity, _ id: Int64) {
        known.withLock { known in
            if known.identities.count >= Self.limit { (known.identities, known.identityIDs) = ([:], [:]) }
            known.identities[id] = identity
            known.identityIDs[identity] = id
        }
    }
}
