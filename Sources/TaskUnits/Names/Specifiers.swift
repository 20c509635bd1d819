/// `%` specifiers (systemd.unit(5), “Specifiers”).
public enum Specifiers {
    /// Replaces every specifier of `text`. A letter or digit that is none is an error; `%` before anything else, or at the
    /// end, stays.
    public static func expand(
        _ text: String, unit: UnitName, context: SpecifierContext
    ) throws(ValueError) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "%"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let letter = Character(Unicode.Scalar(bytes[index + 1]))
            if letter == "%" {
                result.append(bytes[index])
            } else if letter.isASCII, letter.isLetter || letter.isNumber {
                do throws(ValueError) {
                    result += try value(of: letter, unit: unit, context: context).utf8
                } catch {
                    throw ValueError(message: error.message, remedy: error.remedy, offset: index)
                }
            } else {
                result += bytes[index...(index + 1)]
            }
            index += 2
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func value(
        of letter: Character, unit: UnitName, context: SpecifierContext
    ) throws(ValueError) -> String {
        let lastDash = unit.prefix.utf8.lastIndex(of: UInt8(ascii: "-"))
        let lastPart = lastDash.map { String(unit.prefix[unit.prefix.utf8.index(after: $0)...]) } ?? unit.prefix
        let known: String?
        switch letter {
        case "n": known = unit.text
        case "N": known = unit.task
        case "p": known = unit.prefix
        case "P": known = try UnitName.unescape(unit.prefix)
        case "i": known = unit.instance ?? ""
        case "I": known = try UnitName.unescape(unit.instance ?? "")
        case "j": known = lastPart
        case "J": known = try UnitName.unescape(lastPart)
        case "f": known = try UnitName.pathUnescape(unit.instance ?? (unit.isTemplate ? "" : unit.prefix))
        case "y": known = context.unitPath
        case "Y": known = context.unitPath.map(directory)
        case "t": known = context.runtimeDirectory
        case "S": known = context.stateDirectory
        case "C": known = context.cacheDirectory
        case "L": known = context.logsDirectory
        case "E": known = context.configurationDirectory
        case "d": known = context.credentialsDirectory
        case "T": known = context.temporaryDirectory
        case "V": known = context.persistentTemporaryDirectory
        case "u": known = context.user
        case "U": known = context.uid.map { String($0) }
        case "g": known = context.group
        case "G": known = context.gid.map { String($0) }
        case "h": known = context.home
        case "s": known = context.shell
        case "H": known = context.hostname
        case "l": known = context.hostname.map { String($0.prefix { $0 != "." }) }
        case "q": known = context.prettyHostname ?? context.hostname
        case "m": known = context.machineID
        case "b": known = context.bootID
        case "v": known = context.kernelRelease
        case "a": known = context.architecture
        case "A": known = context.osRelease["IMAGE_VERSION"] ?? ""
        case "B": known = context.osRelease["BUILD_ID"] ?? ""
        case "M": known = context.osRelease["IMAGE_ID"] ?? ""
        case "o": known = context.osRelease["ID"] ?? ""
        case "w": known = context.osRelease["VERSION_ID"] ?? ""
        case "W": known = context.osRelease["VARIANT_ID"] ?? ""
        default:
            throw ValueError(message: "%\(letter) is no specifier", remedy: "write %%\(letter) for the text %\(letter)")
        }
        guard let known else {
            throw ValueError(
                message: "what %\(letter) stands for is not known here", remedy: "write the text itself")
        }
        return known
    }

    private static func directory(of path: String) -> String {
        "/" + pathParts(path).dropLast().joined(separator: "/")
    }
}
