import Varlink

/// The members of an object that is being read.
struct WireFields {
    private let object: JSONObject

    init(_ json: JSON) throws(WireError) {
        guard let object = json.objectValue else { throw WireError(field: "", problem: .isNot("an object")) }
        self.object = object
    }

    /// Refuses every member that is not one of `names`.
    func allow(_ names: String...) throws(WireError) {
        for member in object.members where !names.contains(member.name) {
            throw WireError(field: member.name, problem: .unknown)
        }
    }

    func required<Value: WireScalar>(_ name: String) throws(WireError) -> Value {
        guard let value: Value = try optional(name) else { throw WireError(field: name, problem: .missing) }
        return value
    }

    func required<Value: WireObject>(_ name: String) throws(WireError) -> Value {
        guard let value: Value = try optional(name) else { throw WireError(field: name, problem: .missing) }
        return value
    }

    func optional<Value: WireScalar>(_ name: String) throws(WireError) -> Value? {
        guard let json = member(name) else { return nil }
        return try Value.read(json, name)
    }

    func optional<Value: WireObject>(_ name: String) throws(WireError) -> Value? {
        guard let json = member(name) else { return nil }
        return try Self.read(json, name)
    }

    func list<Value: WireScalar>(_ name: String) throws(WireError) -> [Value] {
        var values: [Value] = []
        for (index, json) in try elements(name).enumerated() {
            values.append(try Value.read(json, "\(name)[\(index)]"))
        }
        return values
    }

    func list<Value: WireObject>(_ name: String) throws(WireError) -> [Value] {
        var values: [Value] = []
        for (index, json) in try elements(name).enumerated() {
            values.append(try Self.read(json, "\(name)[\(index)]"))
        }
        return values
    }

    func optionalList<Value: WireObject>(_ name: String) throws(WireError) -> [Value]? {
        if member(name) == nil { return nil }
        return try list(name)
    }

    func optionalList<Value: WireScalar>(_ name: String) throws(WireError) -> [Value]? {
        if member(name) == nil { return nil }
        return try list(name)
    }

    /// A dictionary of integers.
    func counts(_ name: String) throws(WireError) -> [String: Int64] {
        let object: JSONObject = try required(name)
        var counts: [String: Int64] = [:]
        for member in object.members {
            counts[member.name] = try Int64.read(member.value, "\(name).\(member.name)")
        }
        return counts
    }

    /// `nil` for a missing member and for `null`, which mean the same in Varlink.
    private func member(_ name: String) -> JSON? {
        guard let json = object[name], json != .null else { return nil }
        return json
    }

    private func elements(_ name: String) throws(WireError) -> [JSON] {
        guard let json = member(name) else { throw WireError(field: name, problem: .missing) }
        guard let elements = json.arrayValue else { throw WireError(field: name, problem: .isNot("an array")) }
        return elements
    }

    /// The error of an inner object names the way to it.
    private static func read<Value: WireObject>(_ json: JSON, _ name: String) throws(WireError) -> Value {
        do {
            return try Value(json: json)
        } catch {
            throw WireError(field: error.field.isEmpty ? name : "\(name).\(error.field)", problem: error.problem)
        }
    }
}

/// A value that is no object of ours.
protocol WireScalar {
    static func read(_ json: JSON, _ field: String) throws(WireError) -> Self
}

extension Int64: WireScalar {
    static func read(_ json: JSON, _ field: String) throws(WireError) -> Int64 {
        guard let value = json.integerValue else {
            throw WireError(field: field, problem: .isNot("a 64-bit integer"))
        }
        return value
    }
}

extension String: WireScalar {
    static func read(_ json: JSON, _ field: String) throws(WireError) -> String {
        guard let value = json.stringValue else { throw WireError(field: field, problem: .isNot("a string")) }
        return value
    }
}

extension Bool: WireScalar {
    static func read(_ json: JSON, _ field: String) throws(WireError) -> Bool {
        guard let value = json.boolValue else { throw WireError(field: field, problem: .isNot("true or false")) }
        return value
    }
}

extension JSONObject: WireScalar {
    static func read(_ json: JSON, _ field: String) throws(WireError) -> JSONObject {
        guard let value = json.objectValue else { throw WireError(field: field, problem: .isNot("an object")) }
        return value
    }
}

extension JSON {
    /// A dictionary of integers, sorted by name so that the same dictionary always gives the same text.
    static func counts(_ counts: [String: Int64]) -> JSON {
        var object = JSONObject()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { object[name] = .integer(count) }
        return .object(object)
    }
}
