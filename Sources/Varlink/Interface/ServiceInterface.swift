extension InterfaceDescription {
    /// `org.varlink.service`, which every service has.
    public static let service: InterfaceDescription = {
        do throws(InterfaceError) {
            return try InterfaceDescription(parsing: serviceText)
        } catch {
            preconditionFailure("our own org.varlink.service does not parse: \(error)")
        }
    }()

    private static let serviceText = """
        # The Varlink Service Interface is provided by every varlink service. It
        # describes the service and the interfaces it implements.
        interface org.varlink.service

        # Get a list of all the interfaces a service provides and information
        # about the implementation.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # Get the description of an interface that is implemented by this service.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The requested interface was not found.
        error InterfaceNotFound (interface: string)

        # The requested method was not found.
        error MethodNotFound (method: string)

        # The interface defines the requested method, but the service does not
        # implement it.
        error MethodNotImplemented (method: string)

        # One of the passed parameters is invalid.
        error InvalidParameter (parameter: string)

        # Client is denied access.
        error PermissionDenied ()

        # Method is expected to be called with 'more' set to true, but wasn't.
        error ExpectedMore ()

        """
}

/// What a service says about itself, and the calls that it answers without anybody's help.
public struct ServiceDescription: Sendable {
    public let vendor: String
    public let product: String
    public let version: String
    public let url: String
    /// In the order in which GetInfo lists them; `org.varlink.service` is the first.
    public let interfaces: [InterfaceDescription]

    /// `interfaces`: without `org.varlink.service`.
    public init(vendor: String, product: String, version: String, url: String, interfaces: [InterfaceDescription]) {
        self.vendor = vendor
        self.product = product
        self.version = version
        self.url = url
        self.interfaces = [.service] + interfaces
    }

    /// Where a call goes.
    public enum Route: Sendable, Hashable {
        /// It is answered already.
        case answer(Reply)
        /// Its parameters fit the description of this interface: the method, without the interface.
        case method(interface: String, name: String)
    }

    /// Decides a call before it has any effect: interface, method and parameters are known and fit, or it is refused.
    public func route(_ call: Call) -> Route {
        // The last dot parts interface and method.
        guard let dot = call.method.utf8.lastIndex(of: UInt8(ascii: ".")) else {
            return .answer(.interfaceNotFound(call.method))
        }
        let interfaceName = String(call.method[..<dot])
        let methodName = String(call.method[call.method.utf8.index(after: dot)...])
        guard let interface = interfaces.first(where: { $0.name == interfaceName }) else {
            return .answer(.interfaceNotFound(interfaceName))
        }
        guard interface[methodName]?.kind == .method else { return .answer(.methodNotFound(call.method)) }
        // No method here hands its connection over to another protocol.
        if call.upgrade { return .answer(.methodNotImplemented(call.method)) }
        if let problem = interface.problem(inCallOf: methodName, call.parameters) {
            return .answer(.invalidParameter(problem.parameter))
        }
        guard interfaceName == InterfaceDescription.service.name else {
            return .method(interface: interfaceName, name: methodName)
        }
        return .answer(methodName == "GetInfo" ? info : description(call.parameters["interface"]?.stringValue ?? ""))
    }

    private var info: Reply {
        var parameters = JSONObject()
        parameters["vendor"] = .string(vendor)
        parameters["product"] = .string(product)
        parameters["version"] = .string(version)
        parameters["url"] = .string(url)
        parameters["interfaces"] = .array(interfaces.map { .string($0.name) })
        return Reply(parameters: parameters)
    }

    private func description(_ name: String) -> Reply {
        guard let interface = interfaces.first(where: { $0.name == name }) else { return .interfaceNotFound(name) }
        var parameters = JSONObject()
        parameters["description"] = .string(interface.text)
        return Reply(parameters: parameters)
    }
}

extension Reply {
    public static func interfaceNotFound(_ interface: String) -> Reply {
        standard("InterfaceNotFound", "interface", interface)
    }

    /// `method` with its interface.
    public static func methodNotFound(_ method: String) -> Reply { standard("MethodNotFound", "method", method) }

    /// `method` with its interface.
    public static func methodNotImplemented(_ method: String) -> Reply {
        standard("MethodNotImplemented", "method", method)
    }

    public static func invalidParameter(_ parameter: String) -> Reply {
        standard("InvalidParameter", "parameter", parameter)
    }

    private static func standard(_ error: String, _ name: String, _ value: String) -> Reply {
        var parameters = JSONObject()
        parameters[name] = .string(value)
        return Reply(parameters: parameters, error: "org.varlink.service." + error)
    }
}
