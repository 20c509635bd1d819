extension Value {
    /// A signal's number: a name with or without SIG, in upper case, `RTMIN+n`, `RTMAX-n`, or 1...64.
    public static func signal(_ text: String) throws(ValueError) -> UInt8 {
        let unknown = ValueError(
            message: "\(quoted(text)) is no signal",
            remedy: "write a name such as SIGTERM or RTMIN+3, or a number from 1 to 64")
        switch IntegerText(text.utf8) {
        case .value:
            guard let number = IntegerText(text.utf8).int32, (1...64).contains(number) else { throw unknown }
            return UInt8(number)
        case .tooLarge: throw unknown
        case .malformed: break
        }
        var name = ArraySlice(Array(text.utf8))
        _ = name.drops("SIG")
        if let number = signalNames.firstIndex(where: { !$0.isEmpty && name.elementsEqual($0.utf8) }) {
            return UInt8(number)
        }
        let base: Int32
        let sign: UInt8
        if name.drops("RTMIN") {
            (base, sign) = (firstRealTimeSignal, UInt8(ascii: "+"))
        } else if name.drops("RTMAX") {
            (base, sign) = (lastSignal, UInt8(ascii: "-"))
        } else {
            throw unknown
        }
        if name.isEmpty { return UInt8(base) }
        let range = firstRealTimeSignal...lastSignal
        guard name.first == sign, let distance = IntegerText(name).int32, abs(Int64(distance)) <= 64,
            range.contains(base + distance)
        else { throw unknown }
        return UInt8(base + distance)
    }

    /// `SIGTERM`, `SIGRTMIN+3`; the number itself if it is none.
    public static func signalName(_ number: UInt8) -> String {
        if Int(number) < signalNames.count, !signalNames[Int(number)].isEmpty {
            return "SIG" + signalNames[Int(number)]
        }
        switch Int32(number) {
        case firstRealTimeSignal: return "SIGRTMIN"
        case firstRealTimeSignal...lastSignal: return "SIGRTMIN+\(Int32(number) - firstRealTimeSignal)"
        default: return String(number)
        }
    }

    /// glibc keeps 32 and 33 for itself.
    private static let firstRealTimeSignal: Int32 = 34
    private static let lastSignal: Int32 = 64

    /// Linux on x86 and ARM; by number.
    private static let signalNames = [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]
}
