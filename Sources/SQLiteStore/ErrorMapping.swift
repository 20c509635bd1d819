import GRDB
import GRDBSQLite
import Glibc
import Store
import TaskModel

/// What a row does not say as it should.
struct RowDamage: Error, CustomStringConvertible {
    var row: String
    var field: String
    var problem: String
    /// The run that can be set aside for it; `nil`: the row is not a run's own.
    var run: RunID?

    var description: String { "\(row), \(field): \(problem)" }
}

extension StoreError {
    /// What `error` means to a caller; `doing` says in its message what was to be done, `path` where.
    init(_ error: any Error, doing: String, path: String, systemErrno: Int32 = 0) {
        switch error {
        case let error as StoreError:
            self = error
        case let damage as RowDamage:
            self = .damaged("\(path): \(damage)")
        case let error as DatabaseError:
            self.init(error, message: "\(path): \(doing): \(error.explanation)", systemErrno: systemErrno)
        default:
            self = .unavailable("\(path): \(doing): \(error)")
        }
    }

    private init(_ error: DatabaseError, message: String, systemErrno: Int32) {
        switch error.resultCode {
        case .SQLITE_FULL:
            self = .full(message)
        // ENOSPC arrives as SQLITE_FULL from a write, but as an I/O error from a sync or from growing the -shm.
        case .SQLITE_IOERR where systemErrno == ENOSPC || systemErrno == EDQUOT:
            self = .full(message)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = .damaged(message)
        case .SQLITE_CONSTRAINT:
            self = .conflict(message)
        default:
            self = .unavailable(message)
        }
    }
}

extension DatabaseError {
    /// SQLite's words and number, without the SQL and its values: those are a caller's parameters.
    var explanation: String {
        "\(message ?? "no message") (SQLite error \(extendedResultCode.rawValue))"
    }
}
