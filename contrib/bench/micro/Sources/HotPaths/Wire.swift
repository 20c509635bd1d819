import FafAPI
import Varlink

extension HotPath {
    /// From the bytes that a client sends to what is asked for.
    static func decodeFire() -> HotPath {
        let text = """
            {"method":"io.faf.Supervisor.Fire","parameters":{"task":"transcode","parameters":\
            {"video":17,"input":"/srv/videos/holiday in Spain.mov","quality":"high","notify":true}}}
            """
        let bytes = Array(text.utf8) + [0]
        return HotPath(name: "decode a Fire", times: 2000) {
            var connection = ServerConnection(messageLimit: 1 << 20)
            connection.receive(bytes)
            guard case .call(let call) = connection.next() else { throw Unexpected() }
            return try Wire.Fire.Request(json: .object(call.parameters)).task.utf8.count
        }
    }
}
