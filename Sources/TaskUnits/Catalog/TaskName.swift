/// What a task may be called (design: numbers are runs).
public enum TaskName {
    /// The unit of the task that is called `text` on the command line or on the wire: `transcode`, `resize@thumb`, also
    /// with `.task` behind it. Nothing is escaped or guessed: a name never becomes another one.
    public static func unit(_ text: String) throws(ValueError) -> UnitName {
        if text.isEmpty { throw ValueError(message: "the name is empty", remedy: "write NAME or NAME@INSTANCE") }
        let name = try UnitName(text.utf8.hasSuffix(UnitName.suffix) ? text : text + UnitName.suffix)
        try check(name)
        return name
    }

    /// Beside the alphabet and the length, which `UnitName` sees to.
    static func check(_ name: UnitName) throws(ValueError) {
        if name.task.utf8.allSatisfy(isDigit) {
            throw ValueError(
                message: "a task cannot be called \(quoted(name.task)): numbers are runs",
                remedy: "use at least one character that is no digit")
        }
        if name.task.utf8.hasSuffix(UnitName.suffix) {
            throw ValueError(
                message: "a task's name cannot end in .task", remedy: "call the file NAME.task, with one .task")
        }
    }
}

extension String.UTF8View {
    /// By bytes.
    func hasSuffix(_ suffix: String) -> Bool {
        count >= suffix.utf8.count && dropFirst(count - suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
