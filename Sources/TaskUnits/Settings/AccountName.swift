/// Names and numbers of users and groups, as written; whether they exist is looked up when a run is fired.
enum AccountName {
    /// Returns `text` if it can be a user or a group.
    static func check(_ text: String, _ what: String) throws(ValueError) -> String {
        func refused(_ message: String, _ remedy: String) -> ValueError { ValueError(message: message, remedy: remedy) }
        guard let first = text.utf8.first else {
            throw refused("the name of the \(what) is empty", "write a name or a number")
        }
        if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            guard text.utf8.count == 1 || first != UInt8(ascii: "0") else {
                throw refused("\(quoted(text)) has leading zeros", "write the number without them")
            }
            // setresuid(2) takes −1 as "no change", which would leave the script the supervisor's own rights; old
            // 16-bit interfaces do the same with 65535.
            guard let number = UInt32(text), number != .max, number != 0xFFFF else {
                throw refused(
                    "\(text) is no valid number of a \(what)", "write a number below 4294967295 and not 65535")
            }
            return text
        }
        let isBad = text.unicodeScalars.contains { scalar in
            scalar.value <= 0x20 || (0x7F...0x9F).contains(scalar.value) || ":/,*".unicodeScalars.contains(scalar)
        }
        if isBad || text.utf8.count > 255 || text == "." || text == ".." || first == UInt8(ascii: "-")
            || first == UInt8(ascii: "+")
        {
            throw refused("\(quoted(text)) is no name of a \(what)", "write one name or number, as id(1) prints it")
        }
        return text
    }

    static func list(_ text: String, _ what: String, _ context: SettingContext) throws(ValueError) -> [String] {
        var names: [String] = []
        for word in try context.words(text) { names.append(try check(word, what)) }
        return names
    }
}
