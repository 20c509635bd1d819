import Glibc

/// systemd's own parsing functions, from the library that its tools share. Only for comparison in tests; the library has
/// no stable interface, so exactly one version is taken.
struct LibSystemd: @unchecked Sendable {
    typealias Strings = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// `nil` where systemd 252 is not installed: then there is nothing to compare with.
    static let shared = LibSystemd(path: "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so")

    /// Never closed; functions of a loaded library may be called from any thread.
    private let handle: UnsafeMutableRawPointer

    init?(path: String) {
        guard let handle = dlopen(path, RTLD_NOW) else { return nil }
        self.handle = handle
        // What it would log about bad values is nothing to see in a test's output.
        function("log_set_max_level", as: (@convention(c) (CInt) -> CInt).self).map { _ = $0(0) }
    }

    func function<Function>(_ name: String, as type: Function.Type) -> Function? {
        dlsym(handle, name).map { unsafeBitCast($0, to: type) }
    }

    /// A function from a text to a number, `nil` for an error.
    func number(_ name: String, _ text: String) -> Int64? {
        typealias Parse = @convention(c) (UnsafePointer<CChar>) -> CInt
        guard let parse = function(name, as: Parse.self) else { return nil }
        let result = parse(text)
        return result < 0 ? nil : Int64(result)
    }

    /// A function from a text to a text.
    func text(_ name: String, _ text: String) -> String? {
        typealias Make =
            @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt
        guard let make = function(name, as: Make.self) else { return nil }
        var result: UnsafeMutablePointer<CChar>?
        guard make(text, &result) >= 0, let result else { return nil }
        return take(result)
    }

    /// Takes a string over; `nil` if it is not UTF-8.
    func take(_ text: UnsafeMutablePointer<CChar>) -> String? {
        defer { free(text) }
        return String(validatingCString: text)
    }

    /// Takes a list of strings over.
    func take(_ list: Strings?) -> [String?] {
        guard let list else { return [] }
        defer { free(list) }
        var texts: [String?] = []
        while let text = list[texts.count] { texts.append(take(text)) }
        return texts
    }

    /// Calls with a NULL-terminated array of C strings.
    func withStrings<Result>(_ texts: [String], _ body: (Strings) -> Result) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            // Not empty: it has the final NULL.
            body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}
