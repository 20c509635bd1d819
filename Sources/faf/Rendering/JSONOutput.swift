import FafAPI
import Varlink

extension Output {
    /// One JSON value on a line of its own.
    static func json(_ value: JSON) { line(Escape.inJSON(value.text)) }

    static func json(_ value: some WireObject) { json(value.json) }
}

/// One JSON array whose elements come one after another: nothing is held back until the last is there.
struct JSONArrayOutput {
    private var isEmpty = true

    init() { Output.text("[") }

    mutating func add(_ value: JSON) {
        Output.text((isEmpty ? "" : ",\n ") + Escape.inJSON(value.text))
        isEmpty = false
    }

    consuming func end() { Output.text("]\n") }
}
