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

        followUp(
            "OnSuccess", \.followUps.onSuccess, "Tasks that are fired when a run has succeeded."),
        followUp(
            "OnFailure", \.followUps.onFailure,
            "Tasks that are fired when a run is over and has not succeeded, unless somebody has stopped it."),
        followUp(
            "OnAttemptFailure", \.followUps.onAttemptFailure,
            "The same for each attempt, whether or not the run is tried again."),
    ]

    private static func followUp(
        _ key: String, _ path: any WritableKeyPath<TaskSettings, [String]> & Sendable, _ documentation: String
    ) -> Setting {
        .list("Unit", key, .words, path, documentation) { text, context throws(ValueError) in
            try context.words(text).map { word throws(ValueError) in
                let name = try UnitName(word.hasSuffix(UnitName.suffix) ? word : word + UnitName.suffix)
                if name.isTemplate {
                    throw ValueError(
                        message: "\(quoted(word)) is a template, which cannot be fired itself",
                        remedy: "write an instance, \(name.prefix)@INSTANCE")
                }
                return name.task
            }
        }
    }
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
