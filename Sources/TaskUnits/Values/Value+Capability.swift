public import TaskModel

extension Value {
    /// The capabilities of a line: names as in capabilities(7), in any case, or numbers.
    public static func capabilities(_ text: String) throws(ValueError) -> CapabilitySet {
        var set = CapabilitySet()
        for word in try words(text) {
            let name = word.uppercased()
            if let number = CapabilitySet.names.firstIndex(of: name) ?? Int(word), (0...62).contains(number) {
                set.formUnion(CapabilitySet(rawValue: 1 << UInt64(number)))
            } else {
                throw ValueError(
                    message: "\(quoted(word)) is no capability that is known here",
                    remedy: "write names as capabilities(7) lists them, such as CAP_NET_BIND_SERVICE")
            }
        }
        return set
    }

    /// Adds a line to a set, as systemd does: with `~` before it, what it lists is taken away; the first line of all starts
    /// from nothing, or with `~` from everything.
    public static func addCapabilities(
        _ text: String, to set: inout CapabilitySet, initial: CapabilitySet
    ) throws(ValueError) {
        let rest = text.dropping(prefix: "~")
        let listed = try capabilities(rest ?? text)
        if listed.isEmpty || set == initial {
            set = rest == nil ? listed : CapabilitySet.all.subtracting(listed)
        } else if rest == nil {
            set.formUnion(listed)
        } else {
            set.subtract(listed)
        }
    }

    /// As it would be written; `~` is all of them.
    public static func capabilityText(_ set: CapabilitySet) -> String {
        // Those without a name are in it: it was made by taking away.
        if set.isSuperset(of: CapabilitySet.all.subtracting(.named)) {
            return "~" + CapabilitySet.named.subtracting(set).names.joined(separator: " ")
        }
        return set.names.joined(separator: " ")
    }
}
