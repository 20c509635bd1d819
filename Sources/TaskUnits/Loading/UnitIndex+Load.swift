import UnitFile

extension UnitIndex {
    /// Reads a unit: its own file, or for an instance its template's, and all its drop-ins.
    public func load(_ name: UnitName) -> LoadedUnit {
        guard let (own, entry) = resolve(name) ?? name.template.flatMap(resolve).map({ ($0.name, $0.entry) }) else {
            // Not there, or in a directory that could not be looked into.
            return unit(name, problems.isEmpty ? .notFound : .error, problems: problems)
        }
        let id = effectiveName(own, for: name)
        switch entry {
        case .alias: return unit(name, .notFound)
        case .masked(let path): return unit(id, .masked, fragment: path)
        case .unreadable(let problem): return unit(id, .error, fragment: problem.path, problems: [problem])
        case .file(let path): return read(id, askedFor: name, path)
        }
    }

    private func read(_ id: UnitName, askedFor name: UnitName, _ path: String) -> LoadedUnit {
        let bytes: [UInt8]
        do throws(UnitFileSystemError) {
            // A link that leads nowhere makes no unit.
            guard let contents = try fileSystem.bytes(of: path) else { return unit(id, .notFound) }
            bytes = contents
        } catch {
            return unit(id, .error, fragment: path, problems: [SourcedProblem(error)])
        }
        if bytes.isEmpty { return unit(id, .masked, fragment: path) }
        // A directory that could not be read may hold another unit file, or drop-ins.
        var problems = self.problems
        let (file, isBroken) = parse(bytes, path, &problems)
        if isBroken { return unit(id, .error, fragment: path, files: [file], problems: problems) }
        var files = [file]
        for path in dropInPaths(of: [id] + aliases(of: id, path, askedFor: name), &problems) {
            do throws(UnitFileSystemError) {
                guard let bytes = try dropIn(at: path) else { continue }
                files.append(parse(bytes, path, &problems).file)
            } catch {
                problems.append(SourcedProblem(error))
            }
        }
        return unit(id, .loaded, fragment: path, files: files, problems: problems)
    }

    private func parse(
        _ bytes: [UInt8], _ path: String, _ problems: inout [SourcedProblem]
    ) -> (file: LoadedFile, isBroken: Bool) {
        let (file, failure) = UnitFile.readingPrefix(of: bytes)
        problems += (file.warnings + [failure].compactMap(\.self)).map { SourcedProblem(path: path, problem: $0) }
        return (LoadedFile(path: path, bytes: bytes, file: file), failure != nil)
    }

    /// Follows aliases to the name that is no alias; `nil` if there is none, or only a circle.
    private func resolve(_ name: UnitName) -> (name: UnitName, entry: Entry)? {
        var current = name
        for _ in 0..<8 {
            switch entries[current] {
            case .alias(let next): current = next
            case .some(let entry): return (current, entry)
            case .none: return nil
            }
        }
        return nil
    }

    /// The name found, with the instance that was asked for if it is a template.
    private func effectiveName(_ found: UnitName, for name: UnitName) -> UnitName {
        guard found.isTemplate, let instance = name.instance else { return found }
        return (try? found.instantiate(instance)) ?? name
    }

    /// All other names of the unit file at `path`, for their drop-ins count too.
    private func aliases(of id: UnitName, _ path: String, askedFor name: UnitName) -> [UnitName] {
        var names: Set<UnitName> = [name]
        for alias in aliasNames where resolve(alias)?.entry == .file(path: path) {
            if alias.isTemplate, let instance = id.instance {
                if let own = try? alias.instantiate(instance) { names.insert(own) }
            } else if alias.instance == id.instance {
                names.insert(alias)
            }
        }
        names.remove(id)
        return names.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
    }

    private func unit(
        _ name: UnitName, _ state: LoadState, fragment: String? = nil, files: [LoadedFile] = [],
        problems: [SourcedProblem] = []
    ) -> LoadedUnit {
        LoadedUnit(
            name: name, loadState: state, fragmentPath: fragment, dropInPaths: files.dropFirst().map(\.path),
            files: files, problems: problems)
    }
}
