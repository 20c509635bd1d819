internal import Glibc
internal import Logging
internal import NIOCore

/// Stops accepting for a moment when there is no descriptor or memory for another connection; clients wait in the backlog.
///
/// NIO's own handler for this asks for no further read, but the listener stays registered as readable when the very first
/// accept fails (seen with 2.101), and the event loop spins. Turning autoRead off takes it out of epoll.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let logger: Logger
    private var isPaused = false

    private static let pause = TimeAmount.milliseconds(100)

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
            return context.fireErrorCaught(error)
        }
        guard !isPaused else { return }
        isPaused = true
        logger.debug("no room to accept a connection", metadata: ["errno": "\(code)"])
        let channel = context.channel
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [weak self] in
            self?.isPaused = false
            try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
