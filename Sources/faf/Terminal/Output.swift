import Glibc

/// Standard output and standard error, without stdio: what is written is out when the call returns.
enum Output {
    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    static func text(_ text: String) { write(text, to: STDOUT_FILENO) }
    static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        let failure: Int32? = text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let count = Glibc.write(descriptor, start, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return nil
        }
        guard let failure, descriptor == STDOUT_FILENO else { return }
        // A result that did not arrive must not look like success (`faf list > /dev/full`).
        write("faf: cannot write the output: \(String(cString: strerror(failure)))\n", to: STDERR_FILENO)
        exit(Failure.Code.other.rawValue)
    }
}
