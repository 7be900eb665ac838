/// The parts of the Static Analysis Results Interchange Format 2.1.0 that this tool writes, named as in the standard.
enum Sarif {
    struct Log: Encodable {
        let schema = "https://json.schemastore.org/sarif-2.1.0.json"
        let version = "2.1.0"
        let runs: [Run]

        enum CodingKeys: String, CodingKey {
            case schema = "$schema"
            case version, runs
        }
    }

    struct Run: Encodable {
        let tool: Tool
        let invocations: [Invocation]
        let originalUriBaseIds: [String: ArtifactLocation]
        let columnKind = "unicodeCodePoints"
        let results: [Result]
        let properties: Statistics
    }

    struct Tool: Encodable {
        let driver: Driver
    }

    struct Driver: Encodable {
        let name: String
        let semanticVersion: String
        let rules: [Descriptor]
        let notifications: [Descriptor]
    }

    struct Descriptor: Encodable {
        let id: String
        let name: String
        let shortDescription: Message
        let help: Message?
        let defaultConfiguration: Configuration
    }

    struct Configuration: Encodable {
        let level: Level
    }

    struct Message: Encodable {
        let text: String
    }

    struct Invocation: Encodable {
        let executionSuccessful: Bool
        let toolExecutionNotifications: [Notification]
    }

    struct Notification: Encodable {
        let descriptor: Reference
        let level: Level
        let message: Message
        let locations: [Location]
    }

    struct Reference: Encodable {
        let id: String
        let index: Int
    }

    struct Result: Encodable {
        let ruleId: String
        let ruleIndex: Int
        let level: Level
        let message: Message
        let locations: [Location]
        let partialFingerprints: [String: String]
    }

    struct Location: Encodable {
        let physicalLocation: PhysicalLocation
    }

    struct PhysicalLocation: Encodable {
        let artifactLocation: ArtifactLocation
        let region: Region?
    }

    struct ArtifactLocation: Encodable {
        let uri: String
        var uriBaseId: String?
        var description: Message?
    }

    struct Region: Encodable {
        let startLine: Int
        let startColumn: Int
        let endColumn: Int
    }

    /// Goes into the property bag, where a tool may put what the standard has no name for.
    struct Statistics: Encodable {
        let filesScanned: Int
        let filesSkipped: Int
        let bytesScanned: Int
    }
}
