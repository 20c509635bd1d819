import TaskModel

extension SettingTable {
    /// [Unit]: what the task is.
    static let unit: [Setting] = [
        .one(
            "Unit", "Description", .text, \.description, "What the task is, in a few words for people.",
            show: { $0 }
        ) { text, context throws(ValueError) in try context.expand(text) },

        .list(
            "Unit", "Documentation", .addresses, \.documentation, "Where to read about the task."
        ) { text, context throws(ValueError) in
            let words = try context.words(text)
            for word in words { try DocumentationAddress.check(word) }
            return words
        },
    ]
}

enum DocumentationAddress {
    private static let schemes = ["https://", "http://", "file:/", "info:", "man:"]

    static func check(_ word: String) throws(ValueError) {
        guard schemes.contains(where: { word.hasPrefix($0) && word.utf8.count > $0.utf8.count }) else {
            throw ValueError(
                message: "\(quoted(word)) is no address", remedy: "write https://, http://, file:/, info: or man: first"
            )
        }
    }
}
