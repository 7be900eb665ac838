import Foundation
import Glibc
import TestSupport

/// What the figures were taken on and with.
struct Machine {
    let lines: [String]

    init(_ bench: Bench) async throws {
        let processor = Self.field("model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown processor"
        let memory = Self.field("MemTotal", in: "/proc/meminfo", separator: ":")?.split(separator: " ").first
        let gibibytes = (memory.flatMap { Double($0) } ?? 0) / 1_048_576
        let system = Self.field("PRETTY_NAME", in: "/etc/os-release", separator: "=")?
            .trimmingCharacters(in: ["\""])
        let kernel = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
            .split(separator: "-")[0].trimmingCharacters(in: .whitespacesAndNewlines)
        let now = Date.now.formatted(.iso8601.year().month().day())
        let overview = try await bench.rabbitMQ.manage("GET", "/api/overview").text
        let redis = try Self.output(["/usr/bin/env", "redis-server", "--version"])
        let swift = try Self.output(["/usr/bin/env", "swift", "--version"])
        lines = [
            "- \(now), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores (\(processor)), "
                + String(format: "%.0f GiB", gibibytes) + ", \(system ?? "Linux"), kernel \(kernel), "
                + String(format: "load %.1f when it began", bench.load),
            "- \(try Self.output([bench.semel, "--version"])), Swift \(Self.version(after: "Swift version ", in: swift))",
            "- RabbitMQ \(Self.version(after: "\"rabbitmq_version\":\"", in: overview)), "
                + "Erlang \(Self.version(after: "\"erlang_version\":\"", in: overview)), "
                + "Redis \(Self.version(after: "v=", in: redis)), "
                + "amqp-tools \(try Self.output(["/usr/bin/dpkg-query", "-W", "-f", "${Version}", "amqp-tools"]))",
            "- \(try Self.python(bench, "'Python ' + platform.python_version()"))"
                + (try ["rq", "pika", "redis"].map {
                    ", \($0 == "redis" ? "redis-py" : $0) \(try Self.python(bench, "importlib.metadata.version('\($0)')"))"
                }.joined()),
        ]
    }

    private static func field(_ name: String, in file: String, separator: Character) -> String? {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: separator, maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }

    private static func version(after mark: String, in text: String) -> String {
        guard let range = text.range(of: mark) else { return "unknown" }
        return String(text[range.upperBound...].prefix { $0.isNumber || $0 == "." })
    }

    private static func python(_ bench: Bench, _ expression: String) throws -> String {
        try output([bench.python, "-c", "import platform, importlib.metadata; print(\(expression))"])
    }

    /// What a program prints, without the last line's end.
    static func output(_ words: [String]) throws -> String {
        let pipe = try ChildPipe()
        defer { close(pipe.readEnd) }
        let child = try Child(words, output: pipe.writeEnd)
        close(pipe.writeEnd)
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(pipe.readEnd, &buffer, buffer.count), count > 0 {
            text += buffer[..<count]
        }
        try child.wait()
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .newlines)
    }
}
