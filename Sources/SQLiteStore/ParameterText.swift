import Foundation
import TaskModel

/// Parameters as one text: a JSON array of `[name, kind, text]`.
///
/// Written by hand because it is written at every fire; JSONEncoder takes longer than the rest of the row.
enum ParameterText {
    static func encode(_ parameters: [Parameter]) -> String {
        var text = "["
        for parameter in parameters {
            if text.utf8.count > 1 { text += "," }
            text += "["
            append(parameter.name, to: &text)
            text += ","
            append(parameter.value.kind.rawValue, to: &text)
            text += ","
            append(parameter.value.text, to: &text)
            text += "]"
        }
        return text + "]"
    }

    private static func append(_ value: String, to text: inout String) {
        text += "\""
        if value.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\"": text += "\\\""
                case "\\": text += "\\\\"
                case "\u{0}"..."\u{f}": text += "\\u000" + String(scalar.value, radix: 16)
                case "\u{10}"..."\u{1f}": text += "\\u00" + String(scalar.value, radix: 16)
                default: text.unicodeScalars.append(scalar)
                }
            }
        } else {
            text += value
        }
        text += "\""
    }

    /// `nil`: not a text that `encode` has written.
    static func decode(_ text: String) -> [Parameter]? {
        if text == "[]" { return [] }
        guard let lists = try? JSONDecoder().decode([[String]].self, from: Data(text.utf8)) else { return nil }
        var parameters: [Parameter] = []
        for list in lists {
            guard list.count == 3, let kind = ParameterValue.Kind(rawValue: list[1]) else { return nil }
            parameters.append(Parameter(name: list[0], value: ParameterValue(kind: kind, text: list[2])))
        }
        return parameters
    }
}

/// Ids as decimal numbers with commas between.
enum IDList {
    static func encode(_ ids: some Sequence<UInt32>) -> String {
        ids.map { String($0) }.joined(separator: ",")
    }

    static func decode(_ text: String) -> [UInt32]? {
        var ids: [UInt32] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: text.isEmpty) {
            guard let id = UInt32(part) else { return nil }
            ids.append(id)
        }
        return ids
    }
}
