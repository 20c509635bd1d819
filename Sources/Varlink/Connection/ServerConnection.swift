/// The server's side of one connection: bytes in, calls out one at a time and in order, replies to bytes.
///
///     idle ──next(): a whole, correct message──► calling ──reply without `continues`──► idle
///      │                                            └── a `more` call: replies with `continues` ──► calling
///      ├──next(): a message that is too large, or no call──► ended
///      └──next(): end of input and nothing whole is left────► ended
///
/// What arrives while a call is under way waits as bytes, a few kilobytes or one message: a client may write as many calls
/// ahead as it likes, and the socket makes it wait. After `ended` nothing is looked at any more: somebody may
/// have talked another program into writing text to our socket, and a call may stand behind that text.
public struct ServerConnection: Sendable {
    /// What to do next.
    public enum Step: Sendable, Hashable {
        /// Run this call; then `reply`.
        case call(Call)
        /// Nothing whole is there.
        case needsInput
        /// Close the connection when everything is sent. Said once.
        case end(EndReason)
    }

    public enum EndReason: Sendable, Hashable {
        /// The client has sent all it wants, and everything is answered.
        case endOfInput
        /// A message exceeds the limit.
        case tooLarge(limit: Int)
        /// A message is no call.
        case malformed(MessageError)
    }

    /// What becomes of a reply that somebody wants to send.
    public enum Outcome: Sendable, Hashable {
        case send
        /// The call wants no replies.
        case drop
        /// Refused: the call does not take several replies. It is still under way.
        case expectedMore
        /// Refused: there is no call under way, it has its last reply already.
        case notCalling
    }

    private enum State: Sendable, Hashable {
        case idle
        case calling(oneway: Bool, more: Bool)
        case ended
    }

    private var frames: FrameSplitter
    private var state = State.idle
    private var inputHasEnded = false
    private let messageLimit: Int

    public init(messageLimit: Int) {
        self.messageLimit = messageLimit
        frames = FrameSplitter(limit: messageLimit)
    }

    /// A call is under way.
    public var isCalling: Bool { if case .calling = state { true } else { false } }

    /// Some bytes of a message are there, and nothing is under way: the client is in the middle of writing.
    public var isInsideMessage: Bool { state == .idle && frames.pendingBytes > 0 }

    /// Received and not yet used.
    public var pendingBytes: Int { frames.pendingBytes }

    /// Worth reading from the socket now. False while enough waits, behind a call or for room to answer.
    public mutating func wantsInput() -> Bool {
        guard state != .ended, !inputHasEnded else { return false }
        if frames.pendingBytes < Self.readAhead { return true }
        return !frames.hasMessage() && frames.pendingBytes <= messageLimit
    }

    /// Bytes of further calls that are taken while one is under way.
    private static let readAhead = 16 << 10

    /// Bytes from the socket, cut anywhere.
    public mutating func receive(_ bytes: some Sequence<UInt8>) {
        guard state != .ended else { return }
        frames.append(bytes)
    }

    /// The client will send nothing more. What it has sent is still answered.
    public mutating func receiveEnd() { inputHasEnded = true }

    /// The next thing to do; call it after `receive`, and again after the last reply of each call.
    public mutating func next() -> Step {
        switch state {
        case .calling: return .needsInput
        case .ended: return .end(.endOfInput)
        case .idle: break
        }
        let decoded: Result<Call, MessageError>?
        do throws(FrameError) {
            decoded = try frames.next { bytes in
                do throws(MessageError) { return .success(try Call(decoding: bytes)) } catch { return .failure(error) }
            }
        } catch {
            return end(.tooLarge(limit: messageLimit))
        }
        switch decoded {
        case .success(let call)?:
            state = .calling(oneway: call.oneway, more: call.more)
            return .call(call)
        case .failure(let error)?: return end(.malformed(error))
        case nil: return inputHasEnded ? end(.endOfInput) : .needsInput
        }
    }

    /// Somebody wants to send a reply to the call under way. An error never `continues`.
    public mutating func reply(continues: Bool) -> Outcome {
        guard case .calling(let oneway, let more) = state else { return .notCalling }
        if continues && !more && !oneway { return .expectedMore }
        if !continues { state = .idle }
        return oneway ? .drop : .send
    }

    private mutating func end(_ reason: EndReason) -> Step {
        state = .ended
        frames.removeAll()
        return .end(reason)
    }
}

extension MessageError {
    /// The parameter at fault, if the message is a call whose parameters hold something that is written correctly and
    /// still not allowed (a doubled name, half a surrogate pair, …), so that its sender can be told before the end.
    public var parameter: String? {
        guard case .notJSON(let error) = self, error.path.count >= 2, error.path[0] == "parameters" else { return nil }
        switch error.problem {
        case .doubledName, .loneSurrogate, .invalidUTF8, .tooDeep, .controlCharacter:
            return error.path.dropFirst().joined(separator: ".")
        case .unexpectedEnd, .unexpectedByte, .badNumber, .badEscape, .trailingBytes: return nil
        }
    }
}
