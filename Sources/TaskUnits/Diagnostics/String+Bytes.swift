extension String {
    /// What follows `prefix`, compared by bytes: compared by Character, a combining mark behind the prefix would hide it.
    func dropping(prefix: StaticString) -> String? {
        prefix.withUTF8Buffer { prefix in
            utf8.starts(with: prefix) ? String(decoding: utf8.dropFirst(prefix.count), as: UTF8.self) : nil
        }
    }
}
