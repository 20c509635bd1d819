import FafAPI
import Lifecycle
import Store
import Supervisor
import VarlinkServer

extension WireFailure {
    /// As an error reply.
    var failure: VarlinkFailure { VarlinkFailure(name: Self.fullName, parameters: json) }
}

extension StoreError {
    var failure: VarlinkFailure {
        Wire.StoreFailed(message: refusal.message, remedy: refusal.remedy).failure
    }
}

extension FireRefusal {
    var failure: VarlinkFailure {
        switch self {
        case .store(let refusal):
            Wire.StoreFailed(message: refusal.message, remedy: refusal.remedy).failure
        case .launch(let refusal):
            Wire.LaunchFailed(
                step: refusal.step, errno: Int64(refusal.errno), message: refusal.message, remedy: refusal.remedy
            ).failure
        }
    }
}
