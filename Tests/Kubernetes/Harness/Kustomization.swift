import Foundation
import TestSupport

/// A copy of `k8s/manifests/PRESET`, edited as `k8s/README.md` says.
struct Kustomization: Sendable {
    private let directory: TemporaryDirectory

    init(_ preset: String) throws {
        directory = try TemporaryDirectory("kustomize")
        try FileManager.default.copyItem(
            atPath: "\(Chart.root)/k8s/manifests/\(preset)", toPath: directory.path("mine"))
    }

    /// What `kubectl apply -k` would send to the cluster.
    static func build(_ directory: String) async throws -> Objects {
        let built = try await run(
            Executable(path: "\(Chart.root)/scripts/kustomize"), [directory], timeout: .seconds(180))
        guard built.status == .exited(0) else { throw SupportError("kustomize: \(built.stderrText)") }
        return try await Objects(yaml: built.stdout)
    }

    func build() async throws -> Objects {
        try await Self.build(directory.path("mine"))
    }

    /// As the base of another kustomization.
    func build(overlay: String) async throws -> Objects {
        try directory.write("resources: [mine]\n\(overlay)", to: "kustomization.yaml")
        return try await Self.build(directory.path)
    }

    func edit(_ file: String, _ change: (String) throws -> String) throws {
        let text = try String(contentsOfFile: directory.path("mine/\(file)"), encoding: .utf8)
        let changed = try change(text)
        guard changed != text else { throw SupportError("\(file): nothing has changed") }
        try directory.write(changed, to: "mine/\(file)")
    }

    /// Gives the keys of a file, each a line of its own, other values.
    func set(_ values: [String: String], in file: String = "settings.yaml") throws {
        for (key, value) in values {
            try edit(file) { text in
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                return try lines.map {
                    $0.hasPrefix("  \(key): ") ? try "  \(key): \(Node.text(value).json())" : String($0)
                }.joined(separator: "\n")
            }
        }
    }

    /// The patch is there, commented out where the image's own command is the task.
    func setCommand(_ words: [String]) throws {
        try edit("kustomization.yaml") { text in
            let shown = text.replacing("# patches:", with: "patches:").replacing("\n#   ", with: "\n  ")
            guard let value = shown.firstRange(of: "        value:\n") else { throw SupportError("no patch: \(text)") }
            let lines = try words.map { "          - \(try Node.text($0).json())\n" }
            return shown[..<value.upperBound] + lines.joined()
        }
    }
}
