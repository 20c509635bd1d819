/// Why bytes are no JSON text that we take, and where.
public struct JSONError: Error, Sendable, Hashable {
    public enum Problem: Sendable, Hashable {
        /// The text ends inside a value.
        case unexpectedEnd
        /// This byte cannot stand here.
        case unexpectedByte(UInt8)
        /// A number with a leading zero, a missing digit, a plus sign, …
        case badNumber
        /// A backslash followed by something that JSON does not know.
        case badEscape
        /// A control character in a string that is not escaped.
        case controlCharacter
        /// `\uD800` to `\uDFFF` without its other half.
        case loneSurrogate
        case invalidUTF8
        /// An object has this name twice.
        case doubledName
        /// More levels of arrays and objects than allowed.
        case tooDeep
        /// Something other than whitespace follows the value.
        case trailingBytes
    }

    public var problem: Problem
    /// Index of the byte at fault.
    public var offset: Int
    /// The names of the members that the error lies in, outermost first; for a doubled name that name is the last.
    public var path: [String] = []

    init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    /// The same error, seen from the object that has `name` as a member.
    func inside(_ name: String) -> JSONError {
        var error = self
        error.path.insert(name, at: 0)
        return error
    }
}

extension JSONError: CustomStringConvertible {
    public var description: String {
        let what =
            switch problem {
            case .unexpectedEnd: "the text ends too early"
            case .unexpectedByte(let byte): "byte 0x" + String(byte, radix: 16) + " cannot stand here"
            case .badNumber: "this is no JSON number"
            case .badEscape: "JSON has no such escape"
            case .controlCharacter: "control characters in strings must be escaped"
            case .loneSurrogate: "half of a surrogate pair"
            case .invalidUTF8: "this is not UTF-8"
            case .doubledName: "an object has the same name twice"
            case .tooDeep: "arrays and objects are nested too deeply"
            case .trailingBytes: "something follows the value"
            }
        return "byte \(offset): \(what)"
    }
}
