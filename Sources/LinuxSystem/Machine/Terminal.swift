internal import CLinux

/// What is behind a standard descriptor.
public enum Terminal {
    public static func isTerminal(_ descriptor: Int32) -> Bool { fafd_is_terminal(descriptor) != 0 }

    /// Columns; `nil` where there is no terminal or it does not say.
    public static func width(_ descriptor: Int32) -> Int? {
        let columns = fafd_window_width(descriptor)
        return columns > 0 ? Int(columns) : nil
    }
}
