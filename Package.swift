// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let http = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "Mustache", package: "swift-mustache"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
    .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
]
let handshake = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let queues: [Target.Dependency] = ["SemelRabbitMQ", "SemelRedis", "SemelSQS", "SemelSpool"]

let package = Package(
    name: "semel",
    products: [
        .executable(name: "semel", targets: ["semel"]),
        .executable(name: "semelctl", targets: ["semelctl"]),
        .executable(name: "secret-scan", targets: ["secret-scan"]),
        .library(name: "Semel", targets: ["Semel", "SemelCommand", "SemelStatusServer"]),
        .library(
            name: "SemelQueues",
            targets: ["SemelQueues", "SemelRabbitMQ", "SemelRedis", "SemelSQS", "SemelSpool", "SemelTLS"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        .systemLibrary(name: "CRabbitMQ", providers: [.apt(["librabbitmq-dev"])]),
        .target(name: "CCertificates", linkerSettings: [.linkedLibrary("crypto")]),
        .target(
            name: "CRabbitMQTLS", dependencies: ["CCertificates"],
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .target(name: "CDigest", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CLinux"),
        .systemLibrary(name: "CZlib", path: "Examples/SecretScan/Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),

        .target(name: "Semel", dependencies: ["CLinux", logging], swiftSettings: settings),
        .target(name: "SemelCommand", dependencies: ["CLinux", "Semel", logging], swiftSettings: settings),
        .target(name: "SemelSpool", dependencies: ["CLinux", "Semel", logging], swiftSettings: settings),
        .target(
            name: "SemelTLS", dependencies: ["CCertificates", "Semel", tls, handshake] + nio,
            swiftSettings: settings),
        .target(
            name: "SemelRabbitMQ", dependencies: ["Semel", "SemelTLS", "CRabbitMQ", "CRabbitMQTLS", logging],
            swiftSettings: settings),
        .target(
            name: "SemelRedis", dependencies: ["Semel", "SemelTLS", "CHiredis", logging] + nio,
            swiftSettings: settings),
        .target(
            name: "SemelSQS", dependencies: ["CDigest", "Semel", "SemelTLS", logging, http] + nio,
            swiftSettings: settings),
        .target(
            name: "SemelQueues", dependencies: ["Semel", logging] + queues + nio,
            swiftSettings: settings),
        .target(
            name: "SemelKEDA", dependencies: ["Semel", .product(name: "Yams", package: "Yams")],
            swiftSettings: settings),
        .target(
            name: "SemelKubernetes",
            dependencies: ["CLinux", "Semel", "SemelCommand", "SemelKEDA", "SemelTLS", http, httpClient, tls] + nio,
            swiftSettings: settings),
        .target(
            name: "SemelGroups", dependencies: ["CDigest", "Semel", "SemelKEDA", "SemelKubernetes"],
            swiftSettings: settings),
        .target(
            name: "SemelConsole",
            dependencies: [
                "CDigest", "Semel", "SemelKubernetes", "SemelQueues", "SemelSQS", logging, http, httpClient,
                .product(name: "NIOFoundationEssentialsCompat", package: "swift-nio"),
            ] + hummingbird + nio,
            resources: [.embedInCode("Assets")], swiftSettings: settings),
        .target(name: "SemelStatusServer", dependencies: ["Semel", http] + nio, swiftSettings: settings),

        .executableTarget(
            name: "semel",
            dependencies: ["Semel", "SemelCommand", "SemelStatusServer", "SemelQueues", logging] + queues + nio,
            swiftSettings: settings),
        .executableTarget(
            name: "semelctl",
            dependencies: [
                "CLinux", "Semel", "SemelCommand", "SemelConsole", "SemelGroups", "SemelKEDA", "SemelKubernetes",
                "SemelQueues", "SemelTLS", argumentParser, logging, http, httpClient,
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                tls,
            ] + queues + nio,
            swiftSettings: settings),

        .target(
            name: "SecretScan", dependencies: ["CZlib"], path: "Examples/SecretScan/Sources/SecretScan",
            swiftSettings: settings),
        .executableTarget(
            name: "secret-scan", dependencies: ["SecretScan"], path: "Examples/SecretScan/Sources/secret-scan",
            swiftSettings: settings),
        .testTarget(
            name: "SecretScanTests", dependencies: ["SecretScan"], path: "Examples/SecretScan/Tests/SecretScanTests",
            swiftSettings: settings),

        .target(
            name: "TestSupport", path: "Tests/Support", exclude: ["moto_server.py", "tls_terminator.py"],
            swiftSettings: settings),
        .target(
            name: "KubernetesStandIn", dependencies: ["SemelKubernetes", "TestSupport", http, tls] + nio,
            path: "Tests/KubernetesStandIn", swiftSettings: settings),
        .executableTarget(
            name: "semel-kube-standin", dependencies: ["KubernetesStandIn", "TestSupport"],
            path: "Tests/KubernetesStandInTool", swiftSettings: settings),
        .executableTarget(
            name: "semel-soak", dependencies: ["TestSupport"], path: "Tests/Soak", swiftSettings: settings),
        .executableTarget(
            name: "semel-bench", dependencies: ["TestSupport"], path: "Benchmarks",
            exclude: ["RESULTS.md", "results.svg", "instructions.txt", "peers"], swiftSettings: settings),
        .testTarget(
            name: "TestSupportTests", dependencies: ["TestSupport"], path: "Tests/SupportTests", swiftSettings: settings
        ),
        .testTarget(
            name: "SemelTests",
            dependencies: [
                "CCertificates", "CRabbitMQ", "Semel", "SemelCommand", "SemelQueues", "SemelStatusServer", "SemelTLS",
                logging, http,
            ] + queues + nio,
            swiftSettings: settings),
        .testTarget(name: "SemelKEDATests", dependencies: ["Semel", "SemelKEDA"], swiftSettings: settings),
        .testTarget(
            name: "SemelKubernetesTests",
            dependencies: ["KubernetesStandIn", "Semel", "SemelKubernetes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SemelConsoleTests",
            dependencies: ["Semel", "SemelConsole", "SemelKubernetes", "SemelQueues", "TestSupport", logging]
                + hummingbird,
            swiftSettings: settings),
        .testTarget(
            name: "SemelGroupsTests",
            dependencies: ["Semel", "SemelGroups", "SemelKEDA", "SemelKubernetes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests", dependencies: ["KubernetesStandIn", "Semel", "SemelKubernetes", "TestSupport"],
            path: "Tests/Integration", swiftSettings: settings),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["Semel", "SemelQueues", "SemelSQS", "TestSupport", logging] + nio,
            path: "Tests/Conformance", swiftSettings: settings),
        .testTarget(
            name: "FaultTests", dependencies: ["Semel", "TestSupport"], path: "Tests/Faults", swiftSettings: settings),
        .testTarget(
            name: "KubernetesTests", dependencies: ["KubernetesStandIn", "TestSupport"], path: "Tests/Kubernetes",
            swiftSettings: settings),
        .testTarget(
            name: "ConsoleTests", dependencies: ["KubernetesStandIn", "Semel", "SemelKubernetes", "TestSupport"],
            path: "Tests/Console", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
