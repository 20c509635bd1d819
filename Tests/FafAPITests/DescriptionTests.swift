import FafAPI
import Testing
import Varlink

/// The Swift types and the description's text say the same: names, optionality, both ways.
struct DescriptionTests {
    let interface: InterfaceDescription

    init() throws { interface = try InterfaceDescription(parsing: Wire.description) }

    @Test func `the interface has the name that calls are made with`() {
        #expect(interface.name == Wire.interface)
        #expect(Wire.Fire.fullName == "io.faf.Supervisor.Fire")
        #expect(Wire.NoSuchTask.fullName == "io.faf.Supervisor.NoSuchTask")
    }

    @Test func `every member of the description has its Swift type and no other has one`() {
        func names(_ kind: InterfaceDescription.Kind) -> Set<String> {
            Set(interface.members.filter { $0.kind == kind }.map(\.name))
        }
        #expect(Set(Wire.types.map(\.name)) == names(.type))
        #expect(Set(Wire.methods.map { $0.name }) == names(.method))
        #expect(Set(Wire.failures.map { $0.name }) == names(.error))
    }

    @Test func `every object has the fields of the description`() throws {
        for object in try objects() { try compare(object.type, object.fields, object.name) }
    }

    @Test func `every required field is missed and every optional one is not`() throws {
        for object in try objects() {
            let full = sample(object.fields, full: true)
            for field in object.fields {
                var less = full
                less[field.name] = nil
                var null = full
                null[field.name] = .null
                for json in [JSON.object(less), .object(null)] {
                    if case .optional = field.type {
                        #expect(throws: Never.self, "\(object.name).\(field.name)") { try object.type.init(json: json) }
                    } else {
                        #expect(throws: WireError(field: field.name, problem: .missing), "\(object.name)") {
                            try object.type.init(json: json)
                        }
                    }
                }
            }
        }
    }

    @Test func `a field of the wrong type is refused by name`() throws {
        for object in try objects() {
            for field in object.fields {
                var wrong = sample(object.fields, full: true)
                wrong[field.name] = .number("1.5")
                do {
                    _ = try object.type.init(json: .object(wrong))
                    Issue.record("\(object.name).\(field.name) took 1.5")
                } catch {
                    #expect(error.field.hasPrefix(field.name))
                }
            }
        }
    }

    @Test func `unknown fields are refused in calls and ignored elsewhere`() throws {
        for object in try objects() {
            var more = sample(object.fields, full: true)
            more["somethingNew"] = .bool(true)
            if object.isRequest {
                #expect(throws: WireError(field: "somethingNew", problem: .unknown), "\(object.name)") {
                    try object.type.init(json: .object(more))
                }
            } else {
                #expect(throws: Never.self, "\(object.name)") { try object.type.init(json: .object(more)) }
            }
        }
    }

    // MARK: What the description says

    private struct Object {
        var name: String
        var type: any WireObject.Type
        var fields: [InterfaceDescription.Field]
        var isRequest = false
    }

    private func objects() throws -> [Object] {
        var objects: [Object] = []
        for (name, type) in Wire.types {
            guard case .type(.structure(let fields)) = interface[name]?.content else { continue }
            objects.append(Object(name: name, type: type, fields: fields))
        }
        for method in Wire.methods {
            guard case .method(let input, let output) = interface[method.name]?.content else { continue }
            objects.append(Object(name: method.name, type: requestType(method), fields: input, isRequest: true))
            objects.append(Object(name: method.name, type: replyType(method), fields: output))
        }
        for failure in Wire.failures {
            guard case .error(let fields) = interface[failure.name]?.content else { continue }
            objects.append(Object(name: failure.name, type: failure, fields: fields))
        }
        try #require(objects.count == Wire.types.count + 2 * Wire.methods.count + Wire.failures.count)
        return objects
    }

    private func requestType<Method: WireMethod>(_ method: Method.Type) -> any WireObject.Type { Method.Request.self }
    private func replyType<Method: WireMethod>(_ method: Method.Type) -> any WireObject.Type { Method.Reply.self }

    private func compare<Value: WireObject>(
        _ type: Value.Type, _ fields: [InterfaceDescription.Field], _ name: String
    ) throws {
        for full in [true, false] {
            let json = JSON.object(sample(fields, full: full))
            let value = try Value(json: json)
            #expect(value.json == json, "\(name) is written as it was read")
            #expect(try Value(json: value.json) == value)
            let properties = Mirror(reflecting: value).children.compactMap(\.label)
            #expect(Set(properties) == Set(fields.map(\.name)), "\(name)")
        }
    }

    /// An object as the description has it; with all optional fields or with none.
    private func sample(_ fields: [InterfaceDescription.Field], full: Bool) -> JSONObject {
        var object = JSONObject()
        for field in fields { object[field.name] = sample(field.type, full: full) }
        return object
    }

    private func sample(_ type: InterfaceDescription.TypeExpression, full: Bool) -> JSON? {
        switch type {
        case .bool: .bool(true)
        case .int: .number("9007199254740993")
        case .float: .number("0.5")
        case .string: .string("text")
        case .object, .any: .object(["a": .number("1.50"), "b": .null])
        case .enumeration(let words): .string(words[0])
        case .structure(let fields): .object(sample(fields, full: full))
        case .named(let name):
            if case .type(let type)? = interface[name]?.content { sample(type, full: full) } else { nil }
        case .array(let element): .array([sample(element, full: full) ?? .null, sample(element, full: full) ?? .null])
        case .dictionary(let element): .object(["x": sample(element, full: full), "y": sample(element, full: full)])
        case .optional(let type): full ? sample(type, full: full) : nil
        }
    }
}
