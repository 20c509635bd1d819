import FafAPI
import TaskUnits

extension Diagnostic {
    var wire: Wire.Problem {
        Wire.Problem(
            severity: severity.rawValue, path: path, line: Int64(line), column: Int64(column), section: section,
            key: key, message: message, remedy: remedy)
    }
}
