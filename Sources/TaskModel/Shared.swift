internal import Synchronization

/// A large value that the copies of what holds it have in common: kept once on the heap, replaced when it is set, and
/// never changed. Coded as the value itself.
@propertyWrapper
public struct Shared<Value: Sendable & Hashable & Codable>: Sendable, Hashable, Codable {
    private final class Box: Sendable {
        let value: Value
        let text = Mutex<[UInt8]?>(nil)
        init(_ value: Value) { self.value = value }
    }

    private var box: Box

    public init(wrappedValue: Value) { box = Box(wrappedValue) }

    public var wrappedValue: Value {
        // Lent, not copied: a copy would retain each of its fields.
        _read { yield box.value }
        set { box = Box(newValue) }
    }

    /// Itself, so that several holders can be given one value: `run.$settings = other.$settings`.
    public var projectedValue: Shared {
        get { self }
        set { self = newValue }
    }

    /// What this value has been written as, kept with it; `write` is called for the first time only. One form is kept,
    /// whichever comes first: all who call this have to want the same.
    public func text(_ write: (Value) throws -> [UInt8]) rethrows -> [UInt8] {
        if let text = box.text.withLock({ $0 }) { return text }
        let text = try write(box.value)
        box.text.withLock { $0 = text }
        return text
    }

    public static func == (left: Shared, right: Shared) -> Bool {
        left.box === right.box || left.box.value == right.box.value
    }

    public func hash(into hasher: inout Hasher) { box.value.hash(into: &hasher) }

    public init(from decoder: any Decoder) throws { box = Box(try Value(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try box.value.encode(to: encoder) }
}
