import SemelKubernetes

/// A kind that the stand-in keeps.
struct StandInType: Sendable, Hashable {
    var group: String
    var version = "v1"
    var kind: String
    var plural: String
    var shortNames: [String] = []
    var isNamespaced = true
    var hasStatus = false

    static let all = [
        StandInType(
            group: "batch", kind: "CronJob", plural: "cronjobs", shortNames: ["cj"], hasStatus: true),
        StandInType(group: "batch", kind: "Job", plural: "jobs", hasStatus: true),
        StandInType(group: "", kind: "Pod", plural: "pods", shortNames: ["po"], hasStatus: true),
        StandInType(group: "", kind: "ConfigMap", plural: "configmaps", shortNames: ["cm"]),
        StandInType(
            group: "", kind: "Namespace", plural: "namespaces", shortNames: ["ns"], isNamespaced: false, hasStatus: true
        ),
        StandInType(group: "", kind: "Event", plural: "events", shortNames: ["ev"]),
        StandInType(group: "events.k8s.io", kind: "Event", plural: "events", shortNames: ["ev"]),
    ]

    static func named(_ group: String, _ version: String, _ plural: String) -> StandInType? {
        all.first { $0.group == group && $0.version == version && $0.plural == plural }
    }

    var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    /// `cronjobs.batch`
    var qualified: String { group.isEmpty ? plural : "\(plural).\(group)" }
    /// `CronJob.batch`
    var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }

    /// Both kinds of events are one thing seen in two ways.
    var stored: StandInType {
        kind == "Event" ? StandInType.all[StandInType.all.count - 1] : self
    }
}

/// What a client asks to find out what there is.
enum StandInDiscovery {
    static let version: JSONValue = [
        "major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "standin", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none", "compiler": "none", "platform": "linux/amd64",
    ]

    private static var groups: [String] {
        Set(StandInType.all.map(\.group)).subtracting([""]).sorted()
    }

    static func answer(_ parts: [String]) -> JSONValue? {
        switch parts {
        case ["version"]: version
        case ["api"]: ["kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []]
        case ["apis"]: ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map { group($0) })]
        case ["api", "v1"]: resources(group: "")
        case ["openapi", "v3"]: openAPI
        case let parts where parts.count == 2 && parts[0] == "apis" && groups.contains(parts[1]): group(parts[1])
        case let parts where parts.count == 3 && parts[0] == "apis" && parts[2] == "v1" && groups.contains(parts[1]):
            resources(group: parts[1])
        case let parts where parts.starts(with: ["openapi", "v3"]): document(Array(parts.dropFirst(2)))
        default: nil
        }
    }

    private static func group(_ name: String) -> JSONValue {
        let version: JSONValue = ["groupVersion": .string("\(name)/v1"), "version": "v1"]
        return [
            "kind": "APIGroup", "apiVersion": "v1", "name": .string(name), "versions": [version],
            "preferredVersion": version,
        ]
    }

    private static func resources(group: String) -> JSONValue {
        let verbs: JSONValue = [
            "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
        ]
        var resources: [JSONValue] = []
        for type in StandInType.all where type.group == group {
            resources.append([
                "name": .string(type.plural), "singularName": .string(type.kind.lowercased()),
                "namespaced": .bool(type.isNamespaced), "kind": .string(type.kind), "verbs": verbs,
                "shortNames": .array(type.shortNames.map { .string($0) }),
            ])
            if type.hasStatus {
                resources.append([
                    "name": .string("\(type.plural)/status"), "singularName": "",
                    "namespaced": .bool(type.isNamespaced), "kind": .string(type.kind),
                    "verbs": ["get", "patch", "update"],
                ])
            }
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(group.isEmpty ? "v1" : "\(group)/v1"), "resources": .array(resources),
        ]
    }

    private static var openAPI: JSONValue {
        var paths: JSONValue = [:]
        for path in ["api/v1"] + groups.map({ "apis/\($0)/v1" }) {
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=1")]
        }
        return ["paths": paths]
    }

    /// Only what kubectl looks for before it asks the server to check fields.
    private static func document(_ parts: [String]) -> JSONValue? {
        let group = parts.count == 3 ? parts[1] : ""
        var paths: JSONValue = [:]
        for type in StandInType.all where type.group == group {
            let place = type.isNamespaced ? "/namespaces/{namespace}" : ""
            let parameters = ["dryRun", "fieldManager", "fieldValidation", "force"]
            paths["/\(parts.joined(separator: "/"))\(place)/\(type.plural)/{name}"] = [
                "patch": [
                    "x-kubernetes-action": "patch",
                    "x-kubernetes-group-version-kind": [
                        "group": .string(type.group), "version": .string(type.version), "kind": .string(type.kind),
                    ],
                    "parameters": .array(
                        parameters.map { ["name": .string($0), "in": "query", "schema": ["type": "string"]] }),
                    "responses": ["200": ["description": "OK"]],
                ]
            ]
        }
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.34.0"], "paths": paths,
            "components": ["schemas": [:]],
        ]
    }
}
