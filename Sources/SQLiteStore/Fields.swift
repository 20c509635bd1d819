import GRDB
import TaskModel

/// The values of one row, by position. GRDB's own conversions trap on a value of another type; these throw and name
/// the row and the field.
struct Fields {
    let row: Row
    let name: String
    var run: RunID?
    let fieldName: (Int) -> String

    func damage(_ index: Int, _ problem: String) -> RowDamage {
        RowDamage(row: name, field: fieldName(index), problem: problem, run: run)
    }

    func optionalInteger(_ index: Int) throws -> Int64? {
        switch (row[index] as DatabaseValue).storage {
        case .int64(let value): return value
        case .null: return nil
        default: throw damage(index, "no whole number")
        }
    }

    func integer(_ index: Int) throws -> Int64 {
        guard let value = try optionalInteger(index) else { throw damage(index, "missing") }
        return value
    }

    func optionalText(_ index: Int) throws -> String? {
        switch (row[index] as DatabaseValue).storage {
        case .string(let value): return value
        case .null: return nil
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
        let value = try text(index)
        guard let id = ID128(value) else { throw damage(index, "\"\(value)\" is no 128-bit id") }
        return id
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
