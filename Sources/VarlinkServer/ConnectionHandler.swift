internal import LinuxSystem
internal import Logging
internal import NIOCore
internal import Varlink

/// One connection on its event loop: feeds `ServerConnection`, runs its calls and writes their replies.
///
/// An idle connection has no task and no buffer. A call gets a task of its own, because a client that leaves must end its
/// call at once, wherever that is waiting; `Connections` counts a connection until its task is over too.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: VarlinkServer.Core
    private let caller: Caller
    private let eventLoop: any EventLoop
    private var machine: ServerConnection
    private var context: ChannelHandlerContext?
    /// In `Connections`, once active.
    private var id: UInt64?
    private var hasLeft = false

    /// The call whose task runs; it may have its last reply already.
    private var running: (number: UInt64, isOneway: Bool, task: Task<Void, Never>)?
    private var lastNumber: UInt64 = 0
    /// Streams that wait until the client reads.
    private var waiting: [CheckedContinuation<Bool, Never>] = []
    private var messageTimer: Scheduled<Void>?
    /// Counted in `Connections` for this connection.
    private var heldBytes = 0
    private var isEnding = false
    private var isStopping = false

    /// Messages smaller than this are not counted: most are, and counting takes a lock.
    private static let uncountedBytes = 16 << 10

    init(server: VarlinkServer.Core, caller: Caller, eventLoop: any EventLoop) {
        self.server = server
        self.caller = caller
        self.eventLoop = eventLoop
        machine = ServerConnection(messageLimit: server.limits.messageBytes)
    }

    // MARK: From the channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        id = server.connections.add(NIOLoopBound(self, eventLoop: eventLoop))
        if id == nil { context.close(promise: nil) } else { context.read() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // A channel that has never become active does not become inactive either.
        if self.context == nil && running == nil { leave() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        unwrapInboundIn(data).withUnsafeReadableBytes { machine.receive($0) }
    }

    func channelReadComplete(context: ChannelHandlerContext) { proceed() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        resumeWaiting(true)
        proceed()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The client will send nothing more; it may still wait for answers (printf … | nc -U).
        if let event = event as? ChannelEvent, event == .inputClosed {
            machine.receiveEnd()
            proceed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        messageTimer?.cancel()
        messageTimer = nil
        machine.receiveEnd()
        resumeWaiting(false)
        if let running, !running.isOneway { running.task.cancel() }
        proceedWithoutClient()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        server.logger.debug("connection failed", metadata: ["error": "\(error)", "uid": "\(caller.credentials.uid)"])
        context.close(promise: nil)
    }

    // MARK: From the call's task, through the event loop

    /// Sends a reply of call `number`. `room` is answered when the client can take more, with false if it has left.
    func send(_ bytes: [UInt8], last: Bool, of number: UInt64, room: CheckedContinuation<Bool, Never>? = nil) {
        guard number == running?.number else {
            room?.resume(returning: false)
            return
        }
        let outcome = machine.reply(continues: !last)
        guard let context, outcome == .send || outcome == .drop else {
            room?.resume(returning: false)
            return
        }
        if outcome == .send { write(bytes, context) }
        guard let room else { return }
        // The write itself may have found out that the client has left.
        guard self.context != nil else { return room.resume(returning: false) }
        if context.channel.isWritable { room.resume(returning: true) } else { waiting.append(room) }
    }

    /// Call `number` has come to its end; `bytes` is its last reply, if it has not sent that.
    func finish(_ number: UInt64, sending bytes: [UInt8]?) {
        guard running?.number == number else { return }
        if let bytes, machine.reply(continues: false) == .send, let context { write(bytes, context) }
        running = nil
        if context == nil { proceedWithoutClient() } else { proceed() }
    }

    /// The server stops: what runs is cancelled and may still answer, nothing new is begun.
    func stop() {
        isStopping = true
        running?.task.cancel()
        if running == nil { end(nil) }
        guard let channel = context?.channel else { return }
        // A stream whose client does not read would not end before.
        guard waiting.isEmpty else { return channel.close(promise: nil) }
        eventLoop.scheduleTask(in: TimeAmount(server.limits.stopTime)) { channel.close(promise: nil) }
    }

    // MARK: Calls

    /// Begins what can be begun, then reads on if that is of use.
    private func proceed() {
        guard let context, !isEnding else { return }
        // A client that does not read its replies gets no further calls run: else it could make us hold any number.
        // Each write may find out that the client has left; then all is over when it returns.
        while running == nil, !isEnding, context.channel.isWritable {
            if isStopping { return end(nil) }
            switch machine.next() {
            case .call(let call): begin(call, context)
            case .needsInput:
                guard hold() else { return end(server.limits.reply(.pendingBytesPerUser)) }
                watchMessage()
                return context.read()
            case .end(.endOfInput): return end(nil)
            case .end(.tooLarge): return end(server.limits.reply(.messageBytes))
            case .end(.malformed(let error)):
                server.logger.debug("malformed message", metadata: ["uid": "\(caller.credentials.uid)"])
                return end(error.parameter.map { Reply.invalidParameter($0) })
            }
        }
        guard !isEnding else { return }
        messageTimer?.cancel()
        messageTimer = nil
        // Over the limit the socket makes the client wait: an error now would look like the answer of the call that runs.
        if hold(), machine.wantsInput() { context.read() }
    }

    private func begin(_ call: Call, _ context: ChannelHandlerContext?) {
        messageTimer?.cancel()
        messageTimer = nil
        switch server.description.route(call) {
        case .answer(let reply):
            guard machine.reply(continues: false) == .send, let context else { return }
            var bytes: [UInt8] = []
            reply.encode(to: &bytes)
            write(bytes, context)
        case .method(let interface, let method):
            lastNumber += 1
            let writer = ReplyWriter(
                call: call, number: lastNumber, connection: NIOLoopBound(self, eventLoop: eventLoop))
            let executor = server.executor(for: interface, method, on: eventLoop)
            let task = Task(executorPreference: executor) { [server, caller] in
                await server.run(interface, method, call.parameters, caller, writer)
            }
            running = (lastNumber, call.oneway, task)
        }
    }

    /// The client has left: calls that want no reply are still owed to it; others are not begun.
    private func proceedWithoutClient() {
        while running == nil {
            if !isStopping, !isEnding, case .call(let call) = machine.next() {
                if call.oneway { begin(call, nil) } else { _ = machine.reply(continues: false) }
                continue
            }
            return leave()
        }
    }

    private func leave() {
        guard !hasLeft else { return }
        hasLeft = true
        isEnding = true
        if heldBytes > 0 { _ = server.connections.hold(bytes: -heldBytes, user: caller.credentials.uid) }
        heldBytes = 0
        if let id { server.connections.remove(id) }
        server.connections.leave(user: caller.credentials.uid)
    }

    // MARK: Limits and the end

    private func watchMessage() {
        guard machine.isInsideMessage else {
            messageTimer?.cancel()
            messageTimer = nil
            return
        }
        guard messageTimer == nil else { return }
        messageTimer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(server.limits.messageTime)) {
            [weak self] in
            guard let self else { return }
            end(server.limits.reply(.messageTime))
        }
    }

    /// Counts what this connection makes us hold; false if that is too much.
    private func hold() -> Bool {
        let bytes = machine.pendingBytes < Self.uncountedBytes ? 0 : machine.pendingBytes
        // A call that runs keeps its message, whose size is not known any more: nothing is given back before its end.
        guard running == nil ? bytes != heldBytes : bytes > heldBytes else { return true }
        guard server.connections.hold(bytes: bytes - heldBytes, user: caller.credentials.uid) else { return false }
        heldBytes = bytes
        return true
    }

    /// Sends `reply`, if there is one, and closes when all is sent.
    private func end(_ reply: Reply?) {
        guard let context, !isEnding else { return }
        isEnding = true
        messageTimer?.cancel()
        messageTimer = nil
        var bytes: [UInt8] = []
        reply?.encode(to: &bytes)
        let channel = context.channel
        channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { _ in channel.close(promise: nil) }
        // For a client that does not read.
        messageTimer = eventLoop.scheduleTask(in: TimeAmount(server.limits.messageTime)) { channel.close(promise: nil) }
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    private func resumeWaiting(_ hasRoom: Bool) {
        let all = waiting
        waiting = []
        for continuation in all { continuation.resume(returning: hasRoom) }
    }
}
