internal import TaskModel

/// The names of files in the records and ends directories.
enum RecordName {
    /// A final name: the invocation id and nothing else.
    static func exact(_ name: String) -> InvocationID? {
        guard name.utf8.count == 32, name.utf8.allSatisfy({ $0 < UInt8(ascii: "A") || $0 >= UInt8(ascii: "a") }) else {
            return nil
        }
        return InvocationID(name)
    }

    /// The invocation id that a name contains. inotify tells the name under which the shim opened its record, which is the
    /// temporary one even after the link to the final name is all that is left.
    static func invocation(in name: String) -> InvocationID? {
        var digits = 0
        for (index, byte) in name.utf8.enumerated() {
            switch byte {
            case 48...57, 97...102: digits += 1
            default: digits = 0
            }
            if digits == 32 { return InvocationID(Substring(name.utf8.dropFirst(index - 31).prefix(32))) }
        }
        return nil
    }
}
