internal import Glibc
public import LinuxSystem
public import Logging
public import NIOCore
internal import NIOPosix
internal import Varlink

/// Serves interfaces on a listening AF_UNIX socket.
///
/// Calls of one connection run one after another, in their order; connections are independent of each other. Each caller is
/// known by its kernel credentials, read when it is accepted (threat-model A1).
public final class VarlinkServer: Sendable {
    private let core: Core

    /// `services`: one for each interface; `org.varlink.service` is added. The limits are lowered to what the descriptors of
    /// this process allow, so raise RLIMIT_NOFILE before.
    public init(
        vendor: String, product: String, version: String, url: String, services: [any VarlinkService],
        limits: Limits = Limits(), logger: Logger
    ) {
        core = Core(
            description: ServiceDescription(
                vendor: vendor, product: product, version: version, url: url, interfaces: services.map(\.interface)),
            services: Dictionary(services.map { ($0.interface.name, $0) }, uniquingKeysWith: { first, _ in first }),
            limits: limits.fitting(descriptors: Limits.descriptors), logger: logger)
    }

    /// Connections that there are now.
    public var connectionCount: Int { core.connections.count }

    /// Accepts clients on `listening` until the task is cancelled; then accepts no more, cancels the calls that run, gives
    /// them `Limits.stopTime` to answer, closes all connections and returns when the last call has returned. Throws what
    /// makes accepting impossible.
    public func run(listening: consuming OwnedDescriptor, group: any EventLoopGroup) async throws {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .serverChannelInitializer { [core] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: core.logger))
                }
            }
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: core.limits.unsentBytes / 2, high: core.limits.unsentBytes)
            )
            .childChannelInitializer { [core] channel in
                channel.eventLoop.makeCompletedFuture { try core.admit(channel) }
            }
        let socket = listening.release()
        let listener = try await bootstrap.withBoundSocket(socket).get()
        // NIO has listened again with its own backlog of 128.
        _ = Glibc.listen(socket, core.limits.backlog)
        // This future does not fail.
        try? await withTaskCancellationHandler {
            try await listener.closeFuture.get()
        } onCancel: {
            listener.close(promise: nil)
        }
        core.connections.stop()
        await core.connections.waitUntilEmpty()
        if !Task.isCancelled { throw ListenerClosed() }
    }
}

/// The listening socket has failed, which no client can cause.
public struct ListenerClosed: Error, Sendable {}

extension VarlinkServer {
    /// What all connections share.
    final class Core: Sendable {
        let description: ServiceDescription
        let limits: Limits
        let logger: Logger
        let connections: Connections
        private let services: [String: any VarlinkService]

        init(
            description: ServiceDescription, services: [String: any VarlinkService], limits: Limits, logger: Logger
        ) {
            self.description = description
            self.services = services
            self.limits = limits
            self.logger = logger
            connections = Connections(limits: limits)
        }

        /// A new connection, before anything of it is read. What is thrown closes it.
        func admit(_ channel: any Channel) throws {
            let credentials = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) {
                socket in
                // NIO's accept4 leaves this out, and every process that fafd starts would hold the connection open.
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
                let credentials = try PeerCredentials(ofSocket: socket)
                let isLast = credentials.uid != 0 && socket >= limits.userDescriptors
                if let limit = isLast ? .connections : connections.admit(user: credentials.uid) {
                    logger.debug(
                        "connection refused", metadata: ["uid": "\(credentials.uid)", "limit": "\(limit.rawValue)"])
                    refuse(limit, socket)
                    throw Refused()
                }
                return credentials
            }
            guard let credentials else { throw Refused() }
            let handler = ConnectionHandler(
                server: self, caller: Caller(credentials: credentials), eventLoop: channel.eventLoop)
            do {
                try channel.pipeline.syncOperations.addHandler(handler)
            } catch {
                connections.leave(user: credentials.uid)
                throw error
            }
        }

        /// Tells a client why it is closed, if its socket takes that at once.
        private func refuse(_ limit: LimitReached, _ socket: CInt) {
            var bytes: [UInt8] = []
            limits.reply(limit).encode(to: &bytes)
            let descriptor = OwnedDescriptor(owning: socket)
            _ = try? descriptor.send(bytes)
            // The channel owns it and closes it.
            _ = descriptor.release()
        }

        /// Where a call of this method runs; `nil`: on any thread.
        func executor(for interface: String, _ method: String, on eventLoop: any EventLoop) -> EventLoopExecutor? {
            services[interface]?.isBrief(method) == true ? EventLoopExecutor(eventLoop) : nil
        }

        /// Runs one call to its end.
        func run(
            _ interface: String, _ method: String, _ parameters: JSONObject, _ caller: Caller, _ writer: ReplyWriter
        ) async {
            guard let service = services[interface] else { return writer.finish(.interfaceNotFound(interface)) }
            do throws(VarlinkFailure) {
                try await service.call(method, parameters: parameters, caller: caller, reply: writer)
                // A stream that was cut short by a stop has no last reply: an empty one would look like an answer.
                if Task.isCancelled { writer.abandon() } else { writer.finish(nil) }
            } catch .clientGone {
                writer.abandon()
            } catch {
                writer.finish(error)
            }
        }

        private struct Refused: Error {}
    }
}
