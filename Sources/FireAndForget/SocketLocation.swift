import Glibc

/// Where fafd listens.
public enum SocketLocation {
    /// The system's supervisor.
    public static let system = "/run/faf/fafd.sock"

    /// The path of the socket to connect to. The first that applies:
    ///
    /// 1. `explicit`, a path that was asked for;
    /// 2. the user's own supervisor, if `user` is set or `FAF_USER` is 1: `$XDG_RUNTIME_DIR/faf/fafd.sock`, without
    ///    that variable `/run/user/UID/faf/fafd.sock`;
    /// 3. `$FAF_SOCKET`, which fafd sets for its scripts;
    /// 4. the system's.
    ///
    /// `environment` looks a variable up; by default in the process's environment.
    public static func find(
        explicit: String? = nil, user: Bool = false, environment: (String) -> String? = Self.variable
    ) -> String {
        func value(_ name: String) -> String? {
            environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let explicit { return explicit }
        if user || value("FAF_USER") == "1" {
            let runtime = value("XDG_RUNTIME_DIR").flatMap { $0.utf8.first == UInt8(ascii: "/") ? $0 : nil }
            return (runtime ?? "/run/user/\(getuid())") + "/faf/fafd.sock"
        }
        return value("FAF_SOCKET") ?? system
    }

    /// getenv(3): not to be called while another thread changes the environment.
    public static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
