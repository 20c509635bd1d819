import FafAPI
import FafServer
import Launcher
import Lifecycle
import LinuxSystem
import Logging
import NIOCore
import NIOPosix
import SQLiteStore
import Store
import Supervisor
import Synchronization
import TaskHost
import TaskModel
import TaskUnits
import UnixSignals
import VarlinkServer

/// What the command line and the environment decide.
struct DaemonConfiguration: Sendable {
    var directories: Directories
    var isUserMode: Bool
    var shim: String
    var environment: [String: String]
    var file: ConfigurationFile
}

/// Builds the parts, joins them and runs them.
final class Daemon: Sendable {
    let configuration: DaemonConfiguration
    private let log: Logger
    private let stateLock: FileLock
    private let runtimeLock: FileLock
    private let launcher: Launcher
    private let store: SQLiteStore
    private let numbers: Numbers
    private let supervisor: Supervisor
    private let server: VarlinkServer
    private let service: FafService
    private let catalog: CatalogBox

    /// Takes the locks of state and runtime directory before it touches socket, store or records.
    init(configuration given: DaemonConfiguration, log: Logger) throws(StartRefusal) {
        let configuration = try Self.makeDirectories(given)
        let directories = configuration.directories
        self.configuration = configuration
        self.log = log
        stateLock = try Self.takeLock(directories.lock, of: directories.state)
        runtimeLock = try Self.takeLock(directories.runtimeLock, of: directories.runtime)
        Self.reapOrphans(log)
        Self.raiseDescriptorLimit(log)

        let boot = try Self.boot()
        do {
            launcher = try Launcher(
                directories: directories, shimPath: configuration.shim,
                changesUser: !configuration.isUserMode && OwnProcess.uid == 0, logger: log)
        } catch {
            throw StartRefusal("\(error)", remedy: "look at the path it names")
        }
        store = try Self.openStore(directories, log)
        let launching = ShimLaunching(
            launcher: launcher, directories: directories,
            environment: ServiceManager.withoutVariables(configuration.environment), log: log)
        numbers = Numbers(directories: directories, store: store, launcher: launcher, log: log)
        supervisor = Supervisor(
            store: store, launching: launching,
            numbers: numbers,
            boot: boot, now: { Timestamp(microseconds: Clocks.realtime) },
            bootTime: { UInt64(clamping: Clocks.boottime) }, tidy: Self.tidy(), log: log)

        let host = LinuxHost(configuration: configuration, cgroupRoot: { [launcher] in launcher.cgroupRoot })
        let units = HostContext(
            environment: configuration.environment, isUserMode: configuration.isUserMode,
            credentials: directories.credentials)
        catalog = CatalogBox {
            UnitCatalog.load(
                directories: directories.units, fileSystem: HostFileSystem(owner: OwnProcess.uid),
                context: { units.context(user: $0) })
        }
        do {
            service = try FafService(
                supervisor: supervisor, catalog: catalog, host: host, version: Version.current,
                processID: OwnProcess.pid, onlyUser: configuration.isUserMode ? OwnProcess.uid : nil)
            server = VarlinkServer(
                vendor: "faf", product: "Fire & Forget", version: Version.current, url: "https://faf.example",
                services: [service], limits: configuration.file.limits, logger: log)
        } catch {
            throw StartRefusal("the interface description is broken: \(error)", remedy: "install fafd again")
        }
    }

    /// Serves until SIGTERM or SIGINT. Runs go on.
    func run() async throws {
        report(catalog.current)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        await supervisor.join(
            triggering: service, output: service, executor: EventLoopExecutor(group.next()))
        let listener = try listen().release()
        log.info(
            "fafd \(Version.current) serves \(configuration.directories.socket)",
            metadata: ["cgroup": "\(launcher.cgroupRoot ?? "none")"])

        let failure = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.launcher.run() }
            tasks.addTask { await self.supervisor.run() }
            if let interval = ServiceManager.watchdogInterval(environment: configuration.environment) {
                let watchdog = Watchdog(interval: interval, group: group, supervisor: supervisor)
                tasks.addTask { await watchdog.run() }
            }
            let failure = await serve(listener, group)
            await supervisor.drain()
            tasks.cancelAll()
            return failure
        }
        await numbers.release()
        await store.close()
        try await group.shutdownGracefully()
        if let failure { throw failure }
    }

    /// Until a signal ends it, or the socket can no longer be served, or the rows cannot be read.
    private func serve(_ listener: Int32, _ group: MultiThreadedEventLoopGroup) async -> StartRefusal? {
        enum Outcome { case goesOn, stopped, failed(StartRefusal) }
        return await withTaskGroup(of: Outcome.self) { tasks in
            tasks.addTask {
                do {
                    try await self.server.run(listening: OwnedDescriptor(owning: listener), group: group)
                    return .stopped
                } catch {
                    return .failed(
                        StartRefusal("the socket cannot be served: \(error)", remedy: "start fafd again"))
                }
            }
            tasks.addTask {
                await self.followSignals()
                return .stopped
            }
            // Callers are served meanwhile.
            tasks.addTask {
                do throws(StartRefusal) { try await self.readRows() } catch { return .failed(error) }
                return .goesOn
            }
            var first: StartRefusal?
            loop: for await outcome in tasks {
                switch outcome {
                case .goesOn: continue
                case .stopped: break loop
                case .failed(let refusal):
                    first = refusal
                    break loop
                }
            }
            ServiceManager.notify("STOPPING=1")
            log.info("stopping; running tasks go on")
            tasks.cancelAll()
            return first
        }
    }

    private func readRows() async throws(StartRefusal) {
        do { try await supervisor.readRows() } catch {
            throw StartRefusal(error.refusal.message, remedy: error.refusal.remedy)
        }
        for damage in store.setAside {
            log.error("a run that was not over cannot be read and is set aside in the database: \(damage)")
        }
    }

    /// SIGHUP reads the units again; SIGTERM and SIGINT end it.
    private func followSignals() async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        ServiceManager.notify("READY=1\nSTATUS=Serving \(configuration.directories.socket)")
        for await signal in signals {
            guard signal == .sighup else { return }
            ServiceManager.notifyReloading()
            report(catalog.reload())
            ServiceManager.notify("READY=1")
        }
    }

    /// What the start alone needs of the program's text is not to stay mapped; later on most of it is in use.
    private static func tidy() -> @Sendable () -> Void {
        let isStart = Mutex(true)
        return {
            let program = isStart.withLock { isStart in
                defer { isStart = false }
                return isStart
            }
            OwnProcess.giveBackMemory(program: program)
        }
    }

    private func report(_ catalog: UnitCatalog) {
        for diagnostic in catalog.diagnostics {
            log.log(level: diagnostic.severity == .error ? .error : .warning, "\(diagnostic.description)")
        }
    }
}
