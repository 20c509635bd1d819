import GRDB
import GRDBSQLite
import TaskModel

/// The values of the row that a statement has stepped to, by position. GRDB's own conversions trap on a value of another
/// type; these throw and name the row and the field. They also take a fraction of the time, of which a start with
/// thousands of active runs has little.
struct Fields {
    let statement: SQLiteStatement
    let name: () -> String
    var run: RunID?
    let fieldName: (Int) -> String

    init(
        _ statement: Statement, name: @autoclosure @escaping () -> String, run: RunID? = nil,
        fieldName: @escaping (Int) -> String
    ) {
        self.statement = statement.sqliteStatement
        self.name = name
        self.run = run
        self.fieldName = fieldName
    }

    func damage(_ index: Int, _ problem: String) -> RowDamage {
        RowDamage(row: name(), field: fieldName(index), problem: problem, run: run)
    }

    func optionalInteger(_ index: Int) throws -> Int64? {
        switch sqlite3_column_type(statement, CInt(index)) {
        case SQLITE_INTEGER: return sqlite3_column_int64(statement, CInt(index))
        case SQLITE_NULL: return nil
        default: throw damage(index, "no whole number")
        }
    }

    func integer(_ index: Int) throws -> Int64 {
        guard let value = try optionalInteger(index) else { throw damage(index, "missing") }
        return value
    }

    func optionalText(_ index: Int) throws -> String? {
        switch sqlite3_column_type(statement, CInt(index)) {
        case SQLITE_TEXT: return sqlite3_column_text(statement, CInt(index)).map { String(cString: $0) }
        case SQLITE_NULL: return nil
        default: throw damage(index, "no text")
        }
    }

    func text(_ index: Int) throws -> String {
        guard let value = try optionalText(index) else { throw damage(index, "missing") }
        return value
    }

    func uint32(_ index: Int) throws -> UInt32 {
        let value = try integer(index)
        guard let result = UInt32(exactly: value) else { throw damage(index, "\(value) is out of range") }
        return result
    }

    func optionalInt32(_ index: Int) throws -> Int32? {
        guard let value = try optionalInteger(index) else { return nil }
        guard let result = Int32(exactly: value) else { throw damage(index, "\(value) is out of range") }
        return result
    }

    /// With the same bits.
    func optionalUInt64(_ index: Int) throws -> UInt64? {
        try optionalInteger(index).map { UInt64(bitPattern: $0) }
    }

    func uint64(_ index: Int) throws -> UInt64 {
        UInt64(bitPattern: try integer(index))
    }

    func optionalTimestamp(_ index: Int) throws -> Timestamp? {
        try optionalInteger(index).map { Timestamp(microseconds: $0) }
    }

    func id128(_ index: Int) throws -> ID128 {
        // Without a string: a start with thousands of active runs reads as many.
        if sqlite3_column_type(statement, CInt(index)) == SQLITE_TEXT,
            let bytes = sqlite3_column_text(statement, CInt(index)),
            let id = ID128(
                bytes: UnsafeBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, CInt(index)))))
        {
            return id
        }
        throw damage(index, "\"\(try text(index))\" is no 128-bit id")
    }

    func idList(_ index: Int) throws -> [UInt32] {
        let value = try text(index)
        guard let ids = IDList.decode(value) else { throw damage(index, "\"\(value)\" is no list of ids") }
        return ids
    }

    func optionalWord<Word: RawRepresentable<String>>(_ index: Int, _: Word.Type) throws -> Word? {
        guard let value = try optionalText(index) else { return nil }
        guard let word = Word(rawValue: value) else { throw damage(index, "\"\(value)\" is not known here") }
        return word
    }

    func optionalReason(_ kind: Int, _ text: Int) throws -> Reason? {
        guard let kind = try optionalWord(kind, Reason.Kind.self) else { return nil }
        return Reason(kind, try self.text(text))
    }
}
