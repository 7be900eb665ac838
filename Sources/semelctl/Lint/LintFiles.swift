import Foundation
import Semel

/// A file that may hold objects of Kubernetes.
struct LintFile {
    /// As the user would write it.
    let name: String
    let text: String
}

enum LintFiles {
    private static let extensions: Set = ["yaml", "yml", "json"]
    /// A manifest of this size is none.
    private static let mostBytes = 64 << 20

    /// The files, in groups that belong together: those of each directory, and those that are named one by one.
    static func groups(_ paths: [String]) throws(CommandFailure) -> [[LintFile]] {
        var named: [LintFile] = []
        var walked: [[LintFile]] = []
        for path in paths {
            if path == "-" {
                let bytes = try read(FileHandle.standardInput, "standard input")
                named.append(try file("stdin", bytes))
                continue
            }
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                throw .misconfigured("\(path): no such file or directory")
            }
            if isDirectory.boolValue {
                walked += try directories(path)
            } else {
                named.append(try load(path))
            }
        }
        return (named.isEmpty ? [] : [named]) + walked
    }

    /// The files of a directory and of those in it, sorted by name. Hidden ones are left out, and so are the templates of
    /// Helm charts, which are no YAML yet.
    private static func directories(_ path: String) throws(CommandFailure) -> [[LintFile]] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted()
        } catch {
            throw .misconfigured("\(path): \(reason(error))")
        }
        var own: [LintFile] = []
        var below: [[LintFile]] = []
        for name in names {
            let child = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            var isDirectory: ObjCBool = false
            // A link to nowhere is nobody's manifest; one to a directory may lead in circles.
            guard FileManager.default.fileExists(atPath: child, isDirectory: &isDirectory) else { continue }
            if isDirectory.boolValue {
                let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: child)) != nil
                if isLink { continue }
                if name == "templates", names.contains("Chart.yaml") {
                    StandardError.write(
                        "semelctl: \(child): a chart's templates are passed over; lint what ‘helm template’ prints\n")
                    continue
                }
                below += try directories(child)
            } else if extensions.contains(URL(fileURLWithPath: name).pathExtension.lowercased()) {
                own.append(try load(child))
            }
        }
        return (own.isEmpty ? [] : [own]) + below
    }

    private static func load(_ path: String) throws(CommandFailure) -> LintFile {
        let handle: FileHandle
        do {
            handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw .misconfigured("\(path): \(reason(error))")
        }
        defer { try? handle.close() }
        return try file(path, read(handle, path))
    }

    private static func read(_ handle: FileHandle, _ name: String) throws(CommandFailure) -> Data {
        let bytes: Data
        do {
            bytes = try handle.read(upToCount: mostBytes + 1) ?? Data()
        } catch {
            throw .misconfigured("\(name): \(reason(error))")
        }
        guard bytes.count <= mostBytes else { throw .misconfigured("\(name): larger than \(mostBytes >> 20) MiB") }
        return bytes
    }

    private static func file(_ name: String, _ bytes: Data) throws(CommandFailure) -> LintFile {
        guard let text = String(data: bytes, encoding: .utf8) else { throw .misconfigured("\(name): not UTF-8") }
        return LintFile(name: name, text: text)
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard
            let code = [underlying, error as NSError].compactMap({ $0 }).first(where: {
                $0.domain == NSPOSIXErrorDomain
            })
        else { return "cannot be read" }
        return "cannot be read: \(String(cString: strerror(Int32(code.code))))"
    }
}
