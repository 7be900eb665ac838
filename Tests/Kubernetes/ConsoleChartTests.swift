import Foundation
import Synchronization
import TestSupport
import Testing

/// The chart of the console, which sleeps until somebody looks.
@Suite(.serialized)
struct ConsoleChartTests {
    private static let chart = "\(Chart.root)/k8s/console"

    private func render(
        _ values: Node = [:], preset: String = "console", release: String = "test"
    ) async throws -> [Node] {
        try await Chart.render(preset, values, release: release, chart: Self.chart).all
    }

    private func one(_ kind: String, _ name: String = "test", in objects: [Node]) throws -> Node {
        try #require(objects.first { $0["kind"].text == kind && $0["metadata.name"].text == name }, "\(kind) \(name)")
    }

    private func arguments(_ objects: [Node]) throws -> [String] {
        try one("Deployment", in: objects)["spec.template.spec.containers.0.args"].items.compactMap(\.text)
    }

    @Test(arguments: Chart.consolePresets)
    func itIsClean(_ preset: String) async throws {
        let finished = try await Chart.helm([
            "lint", "--strict", "--values", "\(Chart.root)/k8s/presets/\(preset).yaml", Self.chart,
        ])
        #expect(finished.status == .exited(0), "\(finished.stdoutText)\(finished.stderrText)")
    }

    @Test(arguments: Chart.consolePresets)
    func kustomizeBuildsWhatItRenders(_ preset: String) async throws {
        let built = try await Kustomization.build("\(Chart.root)/k8s/manifests/\(preset)").all
        let rendered = try await render(preset: preset, release: preset)
        // Objects of a release in another namespace.
        let moved = rendered.map { object in
            object["kind"] == "RoleBinding" ? object.replacing("jobs", with: "default") : object
        }
        #expect(Set(built) == Set(moved))
    }

    /// The host is written once, and names that Kustomize changes are changed wherever they are named.
    @Test(arguments: Chart.consolePresets)
    func aKustomizationMayChangeHostAndNames(_ preset: String) async throws {
        let base = try Kustomization(preset)
        try base.set(["host": "look.example.org"])
        let objects = try await base.build(overlay: "namePrefix: x-\nnamespace: work\n").all
        let name = "x-\(preset)"
        #expect(hosts(objects) == ["look.example.org"])
        #expect(objects.allSatisfy { $0["metadata.namespace"] == "work" })
        let ingress = try one("Ingress", name, in: objects)
        #expect(ingress["spec.rules.0.http.paths.0.backend.service.name"].text == "\(name)-interceptor")
        let pod = try one("Deployment", name, in: objects)["spec.template.spec"]
        #expect(pod["serviceAccountName"].text == name && pod["volumes.0.secret.secretName"].text == "\(name)-queues")
        if preset == "console" {
            #expect(try one("InterceptorRoute", name, in: objects)["spec.target.service"].text == name)
            let scaled = try one("ScaledObject", name, in: objects)["spec"]
            #expect(scaled["scaleTargetRef.name"].text == name)
            #expect(scaled["triggers.0.metadata.interceptorRoute"].text == name)
        } else {
            let scaled = try one("HTTPScaledObject", name, in: objects)["spec.scaleTargetRef"]
            #expect(scaled["name"].text == name && scaled["service"].text == name)
        }
    }

    /// Wherever a host is named.
    private func hosts(_ objects: [Node]) -> Set<String> {
        Set(
            objects.flatMap { object in
                object["spec.hosts"].items + object["spec.rules.0.hosts"].items + object["spec.tls.0.hosts"].items
                    + [object["spec.rules.0.host"]]
            }.compactMap(\.text))
    }

    @Test(arguments: Chart.consolePresets)
    func itSleeps(_ preset: String) async throws {
        let objects = try await render(["host": "look.example.org", "ingress": ["tlsSecret": "tls"]], preset: preset)
        #expect(try one("Deployment", in: objects)["spec.replicas"] == 0)
        #expect(hosts(objects) == ["look.example.org"])
        let port = try one("Service", in: objects)["spec.ports.0.port"]
        let kinds = Set(objects.compactMap { $0["kind"].text })
        if preset == "console" {
            // Two that scale one Deployment would not agree; the add-on makes a ScaledObject for its own kind.
            #expect(kinds.isSuperset(of: ["InterceptorRoute", "ScaledObject"]) && !kinds.contains("HTTPScaledObject"))
            let scaled = try one("ScaledObject", in: objects)["spec"]
            #expect(scaled["minReplicaCount"] == 0 && scaled["maxReplicaCount"] == 1)
            #expect(scaled["scaleTargetRef.name"] == "test")
            let trigger: Node = [
                "scalerAddress": "keda-add-ons-http-external-scaler.keda:9090", "interceptorRoute": "test",
            ]
            #expect(scaled["triggers"] == [["type": "external-push", "metadata": trigger]])
            #expect(try one("InterceptorRoute", in: objects)["spec.target"] == ["service": "test", "port": port])
        } else {
            #expect(kinds.contains("HTTPScaledObject") && kinds.isDisjoint(with: ["InterceptorRoute", "ScaledObject"]))
            let spec = try one("HTTPScaledObject", in: objects)["spec"]
            #expect(spec["replicas"] == ["min": 0, "max": 1])
            #expect(spec["scaleTargetRef.service"] == "test" && spec["scaleTargetRef.port"] == port)
        }
    }

    /// An open page keeps it awake, and so does a request that the placeholder has answered at once.
    @Test func bothKindsOfRequestsAreSeen() async throws {
        let metric = try await one("InterceptorRoute", in: render())["spec.scalingMetric"]
        #expect(metric["concurrency"] != .null && metric["requestRate"] != .null)
        let held = try await one("InterceptorRoute", in: render(["scaling": ["placeholder": false]]))
        #expect(held["spec.coldStart"] == .null)
    }

    /// An Ingress finds its backend only in its own namespace.
    @Test func theIngressFindsTheInterceptor() async throws {
        let objects = try await render()
        let backend = "spec.rules.0.http.paths.0.backend.service"
        let beside = try one("Ingress", in: objects)
        #expect(beside["metadata.namespace"] == .null)
        #expect(beside["\(backend).name"] == "test-interceptor")
        let service = try one("Service", "test-interceptor", in: objects)["spec"]
        #expect(service["type"] == "ExternalName")
        #expect(service["externalName"] == "keda-add-ons-http-interceptor-proxy.keda.svc.cluster.local")
        #expect(service["ports.0.port"] == beside["\(backend).port.number"])

        let moved = try await render(["ingress": ["namespace": "scaling"], "addOn": ["namespace": "scaling"]])
        let there = try one("Ingress", in: moved)
        #expect(there["metadata.namespace"] == "scaling")
        #expect(there["\(backend).name"] == "keda-add-ons-http-interceptor-proxy")
        #expect(!moved.contains { $0["spec.type"] == "ExternalName" })
        #expect(try one("NetworkPolicy", in: moved).json().contains("scaling"))
        let none = try await render(["ingress": ["enabled": false]])
        #expect(!none.contains { $0["kind"] == "Ingress" || $0["spec.type"] == "ExternalName" })
    }

    /// It looks at pods and Jobs of its namespace, and changes none.
    @Test(arguments: Chart.consolePresets)
    func rights(_ preset: String) async throws {
        let objects = try await render(preset: preset)
        #expect(!objects.contains { $0["kind"].text?.hasPrefix("Cluster") == true })
        let rules = try one("Role", in: objects)["rules"].items
        #expect(rules.map { $0["resources"] } == [["pods"], ["jobs"]])
        #expect(rules.map { $0["apiGroups"] } == [[""], ["batch"]])
        #expect(rules.allSatisfy { $0["verbs"] == ["get", "list"] })
        let binding = try one("RoleBinding", in: objects)
        #expect(binding["roleRef.name"] == "test" && binding["subjects.0.name"] == "test")
        #expect(binding["subjects.0.namespace"] == "jobs")
        #expect(try one("Deployment", in: objects)["spec.template.spec.serviceAccountName"] == "test")
    }

    /// Secrets are files: in no argument, no variable, and no object but a Secret.
    @Test func secretsAreFiles() async throws {
        let token = String(repeating: "t0ken-", count: 6)
        let values: Node = [
            "queues": [
                "urls": ["a": "redis://:pa55@redis/0?list=a", "b": "amqp://u:pa55@host/?queue=b"]
            ],
            "auth": ["existingSecret": "", "token": .text(token)],
        ]
        let objects = try await render(values)
        for object in objects where object["kind"] != "Secret" {
            let text = try object.json()
            #expect(!text.contains("pa55") && !text.contains(token), "\(object["kind"])")
        }
        let words = try arguments(objects)
        let files = zip(words, words.dropFirst()).filter { $0.0.hasSuffix("-file") }.map(\.1)
        #expect(files == ["queues/a", "queues/b", "queues/scans", "token/token"].map { "/etc/semel/\($0)" })
        #expect(try one("Secret", "test-token", in: objects)["stringData"] == ["token": .text(token)])
        #expect(Set(try one("Secret", "test-queues", in: objects)["stringData"].map.keys) == ["a", "b", "scans"])

        // Of the reader's own: the chart makes none.
        let own: Node = [
            "queues": ["urls": nil, "existingSecret": "mine", "keys": ["one"]],
            "auth": ["existingSecret": "other", "key": "word"],
        ]
        let others = try await render(own)
        #expect(!others.contains { $0["kind"] == "Secret" })
        #expect(try arguments(others).contains("/etc/semel/token/word"))
        let volumes = try one("Deployment", in: others)["spec.template.spec.volumes"].items
        #expect(volumes.map { $0["secret.secretName"] } == ["mine", "other"])
    }

    @Test func whatItIsToldIsInItsArguments() async throws {
        let plain = try await arguments(render())
        #expect(plain.starts(with: ["console", "--listen", "0.0.0.0:8080", "--kubernetes", "$(POD_NAMESPACE)"]))
        #expect(!plain.contains("--read-only") && !plain.contains("--file"))
        let values: Node = [
            "readOnly": true, "scaledJobs": ["b.yaml": "kind: ScaledJob", "a.yaml": "kind: ScaledJob"],
            "auth": ["existingSecret": "", "trustProxyUser": "X-Forwarded-User"],
        ]
        let objects = try await render(values)
        let words = try arguments(objects)
        #expect(words.contains("--read-only") && !words.contains("--token-file"))
        #expect(
            words.suffix(7) == [
                "--file", "/etc/semel/scaledjobs/a.yaml", "--file", "/etc/semel/scaledjobs/b.yaml",
                "--trust-proxy-user", "X-Forwarded-User", "--read-only",
            ])
        #expect(Set(try one("ConfigMap", in: objects)["data"].map.keys) == ["a.yaml", "b.yaml"])
    }

    @Test func onlyTheAddOnReachesIt() async throws {
        let objects = try await render()
        let policy = try one("NetworkPolicy", in: objects)["spec"]
        let labels = try one("Deployment", in: objects)["spec.template.metadata.labels"]
        #expect(policy["podSelector.matchLabels"] == labels)
        let from: Node = [["namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "keda"]]]]
        #expect(policy["ingress"] == [["from": from, "ports": [["port": "http", "protocol": "TCP"]]]])
        #expect(policy["policyTypes"] == ["Ingress"])
    }

    @Test(arguments: Chart.consolePresets)
    func everythingAtOnceIsValid(_ preset: String) async throws {
        let values: Node = [
            "image": ["digest": .text("sha256:" + String(repeating: "a", count: 64))],
            "imagePullSecrets": [["name": "pull"]], "labels": ["a": "b"], "annotations": ["a": "b"],
            "podLabels": ["c": "d"], "podAnnotations": ["e": "f"], "env": [["name": "A", "value": "b"]],
            "scaledJobs": ["scans.yaml": "kind: ScaledJob"], "readOnly": true,
            "volumes": [["name": "data", "emptyDir": [:]]], "volumeMounts": [["name": "data", "mountPath": "/data"]],
            "ingress": ["className": "nginx", "tlsSecret": "tls", "annotations": ["c": "d"]],
            "nodeSelector": ["disk": "fast"], "tolerations": [["key": "gpu", "operator": "Exists"]],
            "affinity": ["nodeAffinity": [:]],
        ]
        let directory = try TemporaryDirectory("console")
        for (index, object) in try await render(values, preset: preset).enumerated() {
            try directory.write(object.json(), to: "\(index).yaml")
        }
        let checked = try await run(
            Executable(path: "\(Chart.root)/scripts/check-manifests"), [directory.path], timeout: .seconds(240))
        #expect(checked.status == .exited(0), "\(checked.stdoutText)\(checked.stderrText)")
    }

    @Test(
        arguments: [
            (["host": "Console.example.com"], "host"), (["host": "localhost"], "host"),
            (["queues": ["urls": ["scans": "spool:/x"]]], "queues.urls.scans"),
            (["queues": ["urls": nil]], "queues: nothing"),
            (["queues": ["existingSecret": "mine"]], "queues.existingSecret"),
            (["queues": ["urls": nil, "existingSecret": "mine"]], "queues.keys"),
            (["queues": ["keys": ["one"]]], "queues.keys"),
            (["auth": ["existingSecret": ""]], "auth"), (["auth": ["token": "short"]], "auth.token"),
            (["auth": ["trustProxyUser": "X-User"]], "auth.trustProxyUser"),
            (["auth": ["existingSecret": "", "trustProxyUser": "X User"]], "auth.trustProxyUser"),
            (["addOn": ["kind": "ScaledObject"]], "addOn.kind"),
            (["ingress": ["namespace": "web"]], "ingress.namespace"),
            (["scaling": ["cooldown": -1]], "scaling.cooldown"),
            (["scaling": ["maxReplicaCount": 2]], "maxReplicaCount"),
            (["terminationGracePeriodSeconds": 1], "terminationGracePeriodSeconds"),
            (["podLabels": ["app.kubernetes.io/name": "mine"]], "app.kubernetes.io/name"),
            (["readonly": true], "readonly"),
        ] as [(Node, String)])
    func itIsRefused(_ values: Node, _ name: String) async throws {
        let line = try await Chart.refusal("console", values, chart: Self.chart)
        #expect(line?.contains(name) ?? false, "\(values): \(line ?? "rendered")")
    }

    /// In a browser: the add-on answers for the console until it is there.
    @Test func thePlaceholderMakesWayByItself() async throws {
        let response = try await one("InterceptorRoute", in: render())["spec.coldStart.placeholder.response"]
        let headers = response["headers"].map.compactMapValues(\.text)
        let status = try #require(response["statusCode"].number)
        let placeholder = PageServer.Page(try #require(response["body"].text), status: Int(status), headers: headers)
        let isAwake = Mutex(false)
        let server = try PageServer { path in
            guard path == "/dead" else { return nil }
            return isAwake.withLock { $0 } ? PageServer.Page("<title>Dead letters</title>") : placeholder
        }
        try await withBrowser(.phone) { browser in
            try await browser.prefer(["prefers-color-scheme": "dark"])
            try await browser.open(server.url("/dead"))
            #expect(try await browser.title == "The console is waking up")
            #expect(try await browser.find("[role=status]").accessibleRole == "status")
            #expect(try await browser.run("return document.documentElement.scrollWidth") == 390)
            #expect(try await browser.run("return getComputedStyle(document.body).color") == "rgb(255, 255, 255)")
            let complaints = try await browser.takeLog().filter { $0.message.contains("Content Security Policy") }
            #expect(complaints.isEmpty)
            isAwake.withLock { $0 = true }
            try await browser.waitUntil("the console is there") { try await browser.title == "Dead letters" }
            #expect(try await browser.url == server.url("/dead"))
        }
    }
}
