import ArgumentParser
import Foundation
import Semel
import SemelKEDA

/// `-f` and `--name`: which ScaledJob is meant, the same for every command that has to do with KEDA.
struct ManifestOption: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp(
            """
            A YAML file with the ScaledJob; ‘-’ is standard input, a directory is all its YAML files. May be given many \
            times: a TriggerAuthentication, Secrets and ConfigMaps may be in files of their own.
            """, valueName: "path"))
    var files: [String]

    @Option(help: "The ScaledJob, when there are many.")
    var name: String?

    /// Reads the files. What Kubernetes would refuse of the ScaledJob, or of an object that it names, is an error; what it
    /// would ignore is said on standard error.
    ///
    /// - Parameter changes: What is different on this machine.
    func read(_ changes: DeskChanges = DeskChanges()) throws(CommandFailure) -> (job: ScaledJob, manifest: Manifest) {
        let manifest = try ManifestFiles.read(files, changes)
        let job = try scaledJob(in: manifest)
        let findings = manifest.findings(for: job)
        if let error = findings.first(where: \.isError) {
            throw CommandFailure(error.description, .misconfigured)
        }
        for finding in findings { StandardError.write("semelctl: \(finding)\n") }
        return (job, manifest)
    }

    private func scaledJob(in manifest: Manifest) throws(CommandFailure) -> ScaledJob {
        let names = manifest.scaledJobs.map { "‘\($0.name.onOneLine)’" }.joined(separator: ", ")
        if let name {
            guard let job = manifest.scaledJob(named: name) else {
                let known = names.isEmpty ? "there is none" : "there are \(names)"
                throw CommandFailure("no ScaledJob ‘\(name)’; \(known)", .misconfigured)
            }
            return job
        }
        guard let job = manifest.scaledJobs.first else {
            throw CommandFailure(
                "\(files.joined(separator: ", ")): no ScaledJob (apiVersion keda.sh/v1alpha1) in there"
                    + Self.found(in: manifest), .misconfigured)
        }
        guard Set(manifest.scaledJobs.map { $0.name }).count == 1 else {
            throw .usage("choose one of \(names) with --name".onOneLine)
        }
        // Written twice, it is applied twice: the last one stays.
        return manifest.scaledJobs.last ?? job
    }

    /// What is there instead, for whoever has a ScaledObject or an apiVersion of long ago.
    private static func found(in manifest: Manifest) -> String {
        let others = manifest.others.map { other in
            let version = other.source["apiVersion"]?.text.map { " (\($0))" } ?? " without apiVersion"
            return "\(other.kind)\(version)"
        }
        guard !others.isEmpty else { return "" }
        if let object = manifest.others.first(where: \.isScaledObject) {
            return "; ScaledObject ‘\(object.name ?? "")’ is not a ScaledJob: it scales a Deployment and starts no Jobs"
                .onOneLine
        }
        let rest = others.count > 3 ? " and \(others.count - 3) more" : ""
        return "; there is \(others.prefix(3).joined(separator: ", "))\(rest)".onOneLine
    }
}

/// `--keda`
struct KEDAVersionOption: ParsableArguments {
    @Option(
        name: .customLong("keda"),
        help: ArgumentHelp(
            """
            The version of KEDA to behave like: 2.15 to 2.20, with a patch (2.20.1) where that makes a difference. \
            Without it 2.20.
            """, valueName: "version"))
    var version: String?

    func parsed() throws(CommandFailure) -> KEDAVersion {
        guard let version else { return .newest }
        guard let parsed = KEDAVersion(version) else {
            throw .usage("--keda: ‘\(version)’ is not a version between 2.15 and 2.20")
        }
        return parsed
    }
}

enum ManifestFiles {
    static func read(_ paths: [String], _ changes: DeskChanges = DeskChanges()) throws(CommandFailure) -> Manifest {
        guard paths.count(where: { $0 == "-" }) < 2 else { throw .usage("-f -: standard input can be read once only") }
        var manifest = Manifest()
        for path in paths {
            for file in try files(at: path) {
                let text = try text(of: file)
                do throws(ManifestError) {
                    try manifest.add(text, file: file == "-" ? "standard input" : file, changes)
                } catch {
                    throw CommandFailure(error.description, .misconfigured)
                }
            }
        }
        return manifest
    }

    /// The YAML files of a directory, in the order of their names; else the path itself.
    static func files(at path: String) throws(CommandFailure) -> [String] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
            return [path]
        }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            let folder = path.hasSuffix("/") ? path : path + "/"
            return names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { folder + $0 }
        } catch {
            throw CommandFailure("\(path): the directory cannot be read", .misconfigured)
        }
    }

    static func text(of file: String) throws(CommandFailure) -> String {
        let handle = file == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: file)
        guard let handle, let data = try? handle.readToEnd() ?? Data() else {
            throw CommandFailure("\(file): cannot be read", .misconfigured)
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure("\(file): is not UTF-8", .misconfigured)
        }
        return text
    }
}
