public import Varlink

/// What goes over the wire of `io.faf.Supervisor`, as its description (`io.faf.Supervisor.varlink`) has it: the server
/// and the client library use the same types. A test holds them to the description.
///
/// Every name is a member of this namespace, so that the wire's `Run` and the model's never meet.
public enum Wire {
    /// The name of the interface.
    public static let interface = "io.faf.Supervisor"

    /// The text of the interface's description: what GetInterfaceDescription answers.
    public static var description: String {
        String(decoding: PackageResources.io_faf_Supervisor_varlink, as: UTF8.self)
    }
}

extension Wire {
    /// What a method does to what is there.
    public enum MethodKind: Sendable, Hashable {
        /// It changes something.
        case order
        /// It only looks, and answers with what is there now: asking twice does no harm.
        case question
        /// It only looks, and its answers go on with what happens: whoever asks again decides from where on.
        case vigil
    }
}

/// An object on the wire: a type, a method's parameters, its reply, or an error's parameters.
public protocol WireObject: Sendable, Hashable {
    /// Reads the object. Unknown members of types, replies and errors are ignored (a newer peer may send more);
    /// those of a method's parameters are refused, since ignoring one could do something else than was asked for.
    /// A member that is `null` counts as missing.
    init(json: JSON) throws(WireError)

    /// The object as it is sent: members that have no value are left out.
    var json: JSON { get }
}

/// A method of the interface.
public protocol WireMethod: Sendable {
    associatedtype Request: WireObject
    associatedtype Reply: WireObject

    /// Without the interface.
    static var name: String { get }

    /// What a call that got no answer may have done, and so whether it may be sent again.
    static var kind: Wire.MethodKind { get }
}

extension WireMethod {
    /// An order, unless the method says otherwise.
    public static var kind: Wire.MethodKind { .order }

    /// With the interface: what a call names.
    public static var fullName: String { "\(Wire.interface).\(name)" }
}

/// An error that the interface declares. The types that conform are what a server throws and a client reads.
public protocol WireFailure: WireObject, Error {
    /// Without the interface.
    static var name: String { get }
    /// What was refused, and why.
    var message: String { get }
    /// What to do about it.
    var remedy: String { get }
}

extension WireFailure {
    /// With the interface: what an error reply names.
    public static var fullName: String { "\(Wire.interface).\(name)" }
}

/// JSON that does not fit the description.
public struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        case missing
        case unknown
        /// It should have been this: `an integer`, `a string`, …
        case isNot(String)
    }

    /// Where: `run`, `attempts[0].state`; empty for the whole object.
    public var field: String
    public var problem: Problem

    public init(field: String, problem: Problem) {
        self.field = field
        self.problem = problem
    }

    public var description: String {
        let subject = field.isEmpty ? "the object" : field
        return switch problem {
        case .missing: "\(subject) is missing"
        case .unknown: "\(subject) is not known here"
        case .isNot(let expected): "\(subject) is not \(expected)"
        }
    }
}
