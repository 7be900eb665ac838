import Foundation
import TestSupport
import Testing

private enum Kubectl {
    static let executable = try? Executable.installed("kubectl")

    /// Debian's own is too old.
    static func knowsReplacements() async -> Bool {
        guard let executable else { return false }
        let built = try? await run(executable, ["kustomize", "\(Chart.root)/k8s/manifests/redis-list"])
        return built?.status == .exited(0)
    }
}

/// The plain manifests, as `kubectl apply -k` sees them.
@Suite(.serialized, .enabled("kubectl is there", { await Kubectl.knowsReplacements() }))
struct KustomizeTests {
    private func build(_ directory: String) async throws -> Objects {
        let built = try await run(#require(Kubectl.executable), ["kustomize", directory])
        guard built.status == .exited(0) else { throw SupportError("kustomize: \(built.stderrText)") }
        return try await Objects(yaml: built.stdout)
    }

    /// Settings, image and command that nobody has changed change nothing.
    @Test(arguments: Chart.presets)
    func itBuildsWhatTheChartRenders(_ preset: String) async throws {
        let built = try await build("\(Chart.root)/k8s/manifests/\(preset)")
        let rendered = try await Chart.render(preset, release: preset)
        #expect(Set(built.all) == Set(rendered.all))
    }

    @Test func settingsGoWhereTheyBelong() async throws {
        let directory = try TemporaryDirectory("kustomize")
        let copy = directory.path("mine")
        try FileManager.default.copyItem(atPath: "\(Chart.root)/k8s/manifests/redis-list", toPath: copy)
        func edit(_ file: String, _ old: String, _ new: String) throws {
            let text = try String(contentsOfFile: "\(copy)/\(file)", encoding: .utf8)
            try #require(text.contains(old))
            try directory.write(text.replacing(old, with: new), to: "mine/\(file)")
        }
        try edit("settings.yaml", "redis.semel-dev.svc", "10.0.0.7")
        try edit("settings.yaml", "6379", "6380")
        try edit("settings.yaml", "scans", "jobs")
        try edit("kustomization.yaml", "newName: semel-runtime", "newName: my/task")
        try edit("kustomization.yaml", "newTag: \"0.1.0\"", "newTag: \"7\"")
        // The command is there, commented out.
        try edit("kustomization.yaml", "# patches:", "patches:")
        try edit("kustomization.yaml", "\n#   ", "\n  ")
        try directory.write("resources: [mine]\nnamePrefix: x-\nnamespace: work\n", to: "kustomization.yaml")
        let objects = try await build(directory.path)

        let environment = try objects.environment()
        #expect(environment["REDIS_HOST"] == "10.0.0.7")
        #expect(environment["REDIS_PORT"] == "6380")
        #expect(environment["REDIS_LIST"] == "jobs")
        #expect(environment["REDIS_PASSWORD"] == "change-me")
        let triggers = objects.spec["triggers"].items
        #expect(triggers.map { $0["metadata.address"] } == ["10.0.0.7:6380", "10.0.0.7:6380"])
        #expect(triggers.map { $0["metadata.listName"] } == ["{jobs}:leases", "jobs"])
        #expect(triggers.allSatisfy { $0["authenticationRef.name"] == "x-redis-list" })
        #expect(objects.container["image"] == "my/task:7")
        #expect(objects.container["args"] == ["my-task", "--flag"])
        #expect(objects.pod["serviceAccountName"] == "x-redis-list")
        #expect(objects["ServiceAccount"]["metadata.name"] == "x-redis-list")
        #expect(objects["ConfigMap"] == .null)
    }
}
