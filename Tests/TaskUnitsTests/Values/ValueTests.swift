import TaskModel
import TaskUnits
import Testing

/// The rules of systemd.time(7), systemd.exec(5) and systemd.resource-control(5) that are usually got wrong.
struct ValueTests {
    // MARK: Booleans

    @Test(arguments: ["1", "yes", "y", "true", "t", "on", "YES", "True", "oN"])
    func `yes is said in six ways`(text: String) throws { #expect(try Value.boolean(text)) }

    @Test(arguments: ["0", "no", "n", "false", "f", "off", "NO", "False"])
    func `no is said in six ways`(text: String) throws { #expect(try !Value.boolean(text)) }

    @Test(arguments: ["enable", "2", "", " yes", "yes ", "ja", "-1", "０"])
    func `nothing else is a boolean`(text: String) {
        #expect(throws: ValueError.self) { try Value.boolean(text) }
    }

    // MARK: Time spans

    @Test(
        arguments: [
            ("5", 5_000_000), ("5s", 5_000_000), ("1h30", 3_630_000_000), ("1h 30min", 5_400_000_000),
            ("5 5", 10_000_000),
            ("30min1h", 5_400_000_000), ("1us", 1), ("1usec", 1), ("1\u{B5}s", 1), ("1\u{3BC}s", 1), ("1ms", 1000),
            ("1m", 60_000_000), ("1M", 2_629_800_000_000), ("1y", 31_557_600_000_000), ("2w", 1_209_600_000_000),
            ("1.5h", 5_400_000_000), (".5s", 500_000), ("0.0000019s", 1), (" 1 s ", 1_000_000), ("0", 0),
            ("1s 1s", 2_000_000),
            ("3 seconds 2 minutes 1 hour", 3_723_000_000), ("1d", 86_400_000_000), ("1hr", 3_600_000_000),
        ] as [(String, UInt64)])
    func `time spans add up their terms`(text: String, time: UInt64) throws {
        #expect(try Value.timeSpan(text) == .microseconds(time))
    }

    @Test(arguments: [
        "5.", "-5", "-0", "1e3", "0x10", "5S", "2hrs", "1mo", "250ns", "", " ", "s", "1.2.3", "infinity 5",
        "5 infinity",
        "Infinity", "infinityx", "1,5", "--1", "1-", "99999999999999999999", "600000y", ".",
    ])
    func `other texts are no time spans`(text: String) {
        let error = #expect(throws: ValueError.self) { try Value.timeSpan(text) }
        #expect(error?.remedy.isEmpty == false)
    }

    @Test func `infinity stands alone, with blanks around`() throws {
        #expect(try Value.timeSpan(" infinity ") == .infinity)
    }

    @Test func `zero is infinity for timeouts only`() throws {
        #expect(try Value.timeSpan("0", zeroIsInfinity: true) == .infinity)
        #expect(try Value.timeSpan("0.1us", zeroIsInfinity: true) == .infinity)
        #expect(try Value.timeSpan("0") == .microseconds(0))
        #expect(try Value.timeSpan("1", zeroIsInfinity: true) == .microseconds(1_000_000))
    }

    @Test func `a number without a unit is in the default unit`() throws {
        #expect(try Value.timeSpan("5", defaultUnitMicroseconds: 1) == .microseconds(5))
        #expect(try Value.timeSpan("5s", defaultUnitMicroseconds: 1) == .microseconds(5_000_000))
    }

    @Test func `an error says where`() {
        let error = #expect(throws: ValueError.self) { try Value.timeSpan("1h 5S") }
        #expect(error?.offset == 4)
    }

    // MARK: Sizes

    @Test(
        arguments: [
            ("1", 1), ("1B", 1), ("1K", 1024), ("1M", 1 << 20), ("1G 512M", 3 << 29), ("1G512M", 3 << 29),
            ("1E3", 1 << 60 + 3), ("3.5K", 3584), ("3.K", 3072), ("1.0005K", 1024), ("5 K", 5120), ("+5", 5),
            ("1T", 1 << 40),
            ("1P", 1 << 50), ("18446744073709551615", .max), (" 7", 7), ("0", 0),
        ] as [(String, UInt64)])
    func `sizes have upper-case suffixes, larger ones first`(text: String, size: UInt64) throws {
        #expect(try Value.size(text) == size)
    }

    @Test(arguments: [
        ".5K", "1k", "1KB", "1KiB", "1Ki", "-1", "1K ", "1K 1M", "1K1K", "", " ", "K", "infinity", "50%", "16E", "1 2",
        "18446744073709551616", "0x10", "1,5K", "1.5.5K",
    ])
    func `other texts are no sizes`(text: String) {
        #expect(throws: ValueError.self) { try Value.size(text) }
    }

    @Test func `base 1000 is for those who ask for it`() throws {
        #expect(try Value.size("1M", base: 1000) == 1_000_000)
    }

    // MARK: Percentages

    @Test(
        arguments: [
            ("50%", PercentScale.percent, 50), ("0%", .percent, 0), ("100%", .percent, 100),
            ("400%", .percentUnbounded, 400),
            ("5.5%", .permille, 55), ("5%", .permille, 50), ("55‰", .permille, 55), ("5.55%", .permyriad, 555),
            ("5.5%", .permyriad, 550), ("55‱", .permyriad, 55), ("5.5‰", .permyriad, 55), ("100%", .permyriad, 10_000),
        ] as [(String, PercentScale, UInt32)])
    func `percentages have a sign`(text: String, scale: PercentScale, value: UInt32) throws {
        #expect(try Value.percent(text, scale: scale) == value)
    }

    @Test(arguments: [
        ("50", PercentScale.percent), ("5.5%", .percent), ("101%", .percent), ("-1%", .percent), ("%", .percent),
        ("5.55%", .permille), ("100.1%", .permille), ("5.555%", .permyriad), ("5.%", .permille), ("5 %", .percent),
        ("99999999999%", .percentUnbounded), ("5‰", .percent),
    ])
    func `other texts are no percentages`(text: String, scale: PercentScale) {
        #expect(throws: ValueError.self) { try Value.percent(text, scale: scale) }
    }

    // MARK: Signals and exit statuses

    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("9", 9), ("1", 1), ("64", 64), ("RTMIN", 34), ("SIGRTMIN+3", 37),
            ("RTMAX", 64),
            ("RTMAX-2", 62), ("SIGCHLD", 17), ("SIGIO", 29),
        ] as [(String, UInt8)])
    func `signals are names or numbers`(text: String, number: UInt8) throws {
        #expect(try Value.signal(text) == number)
    }

    @Test(arguments: [
        "term", "sigterm", "SIGterm", "POLL", "IOT", "CLD", "0", "65", "-1", "", "RTMIN+31", "RTMIN + 3", "RTMIN-1",
        "RTMAX+1", "RTMAX-31", "SIGSIGTERM", "SIG", "SIG9", "TERM ", "99999999999999999999",
    ])
    func `other texts are no signals`(text: String) {
        #expect(throws: ValueError.self) { try Value.signal(text) }
    }

    @Test func `a signal's name is systemd's`() {
        #expect(Value.signalName(15) == "SIGTERM")
        #expect(Value.signalName(34) == "SIGRTMIN")
        #expect(Value.signalName(64) == "SIGRTMIN+30")
        #expect(Value.signalName(32) == "32")
        #expect(Value.signalName(0) == "0")
        #expect(Value.signalName(255) == "255")
    }

    @Test(arguments: [
        ("0", ExitStatusItem.code(0)), ("255", .code(255)), ("TEMPFAIL", .code(75)), ("SIGKILL", .signal(9)),
        ("KILL", .signal(9)), ("9", .code(9)), ("USER", .code(217)), ("SUCCESS", .code(0)), ("EXCEPTION", .code(255)),
    ])
    func `an exit status is a number, a name or a signal`(text: String, item: ExitStatusItem) throws {
        #expect(try Value.exitStatus(text) == item)
    }

    @Test(arguments: ["256", "-1", "tempfail", "", "EXIT_CHDIR", "1 2"])
    func `other texts are no exit statuses`(text: String) {
        #expect(throws: ValueError.self) { try Value.exitStatus(text) }
    }

    // MARK: Numbers

    @Test func `a umask is octal`() throws {
        #expect(try Value.umask("0022") == 0o022)
        #expect(try Value.umask("77") == 0o077)
        for text in ["0888", "10000", "-1", "+7", "u=rwx", "", "0x7"] {
            #expect(throws: ValueError.self, "\(text)") { try Value.umask(text) }
        }
    }

    @Test func `nice levels go from -20 to 19`() throws {
        #expect(try Value.nice("-20") == -20)
        #expect(try Value.nice("19") == 19)
        #expect(try Value.nice("+5") == 5)
        for text in ["20", "-21", "", "1.5", "999999999999"] {
            #expect(throws: ValueError.self, "\(text)") { try Value.nice(text) }
        }
    }

    @Test(
        arguments: [
            ("1024", Value.Resource.nofile, 1024, 1024), ("512:1024", .nofile, 512, 1024),
            ("infinity", .core, .max, .max),
            ("1K:infinity", .fsize, 1024, .max), ("90s", .cpu, 90, 90), ("1500ms", .cpu, 2, 2), ("10", .cpu, 10, 10),
            ("1ms", .rttime, 1000, 1000), ("7", .rttime, 7, 7), ("+5", .nice, 15, 15), ("-5", .nice, 25, 25),
            ("0", .nice, 0, 0),
            ("64K", .memlock, 65536, 65536),
        ] as [(String, Value.Resource, UInt64, UInt64)])
    func `limits are read by resource`(text: String, resource: Value.Resource, soft: UInt64, hard: UInt64) throws {
        let limit = try Value.rlimit(text, resource: resource)
        #expect(limit == .init(resource: resource.rawValue, soft: soft, hard: hard))
    }

    @Test(arguments: [
        ("1K", Value.Resource.nofile), ("2:1", .nofile), (":1", .nofile), ("1:", .nofile), ("1:2:3", .nofile),
        ("", .nofile), ("-1", .nofile), ("18446744073709551615", .nofile), ("41", .nice), ("+20", .nice),
        ("-21", .nice),
        ("infinity", .nice), ("1x", .fsize),
    ])
    func `other texts are no limits`(text: String, resource: Value.Resource) {
        #expect(throws: ValueError.self) { try Value.rlimit(text, resource: resource) }
    }

    @Test func `resources have the kernel's numbers and systemd's names`() {
        #expect(Value.Resource.nofile.rawValue == 7)
        #expect(Value.Resource.nofile.settingName == "LimitNOFILE")
        #expect(Value.Resource.as.settingName == "LimitAS")
        #expect(Value.Resource.rttime.rawValue == 15)
    }
}
