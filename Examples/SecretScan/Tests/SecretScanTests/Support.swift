import Foundation
import Testing

@testable import SecretScan

/// Made-up secrets. They are put together when the tests run, so that the sources of the tests hold nothing that looks
/// like one: this repository is scanned by its own tests.
enum MadeUp {
    static let lowercase = "abcdefghijklmnopqrstuvwxyz"
    static let digits = "0123456789"
    static let alphanumerics = lowercase + lowercase.uppercased() + digits
    static let base64 = alphanumerics + "+/"
    static let base32 = lowercase.uppercased() + "234567"
    static let hexadecimal = digits + "abcdef"

    /// The same text for the same arguments, in every run.
    static func text(_ count: Int, from alphabet: String = alphanumerics, seed: UInt64 = 1) -> String {
        var generator = SplitMix(state: seed &* 0x9e37_79b9)
        let characters = Array(alphabet)
        return String((0..<count).map { _ in characters[Int.random(in: 0..<characters.count, using: &generator)] })
    }

    static func gitHubToken(seed: UInt64 = 1) -> String {
        "gh" + "p_" + text(36, seed: seed)
    }

    static func privateKey(_ title: String = "RSA PRIVATE KEY", separator: String = "\n") -> String {
        let lines = (1...4).map { text(64, from: base64, seed: $0) }
        return (["-----BEG" + "IN \(title)-----"] + lines + ["-----END \(title)-----"]).joined(separator: separator)
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
            return value ^ (value >> 31)
        }
    }
}

private let scanner = SecretScanner()

func findings(in text: String, path: String = "notes.txt") -> [Finding] {
    scanner.findings(in: SourceText(path: RelativePath(path), bytes: Array(text.utf8)))
}

/// The ids of the rules that find something, in the order of the findings.
func rules(in text: String, path: String = "notes.txt") -> [String] {
    findings(in: text, path: path).map { Rule.all[$0.ruleIndex].id }
}

/// A folder that goes when the last reference goes.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("secret-scan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        // FileManager does not remove paths that are longer than the system takes in one piece; `rm` does.
        _ = try? Shell.run("rm", ["-rf", url.path])
    }

    @discardableResult
    func write(_ text: String, to path: String) throws -> URL {
        try write(Data(text.utf8), to: path)
    }

    @discardableResult
    func write(_ data: Data, to path: String) throws -> URL {
        let file = url.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
        return file
    }

    func scan(_ path: String = "", sizeLimit: Int = Scan.defaultSizeLimit, findingsLimit: Int = 1000) throws
        -> ScanReport
    {
        let target = try ScanTarget(path: url.appendingPathComponent(path).path)
        let scan = Scan(
            target: target, progress: ProgressReporter(variable: nil), sizeLimit: sizeLimit,
            findingsLimit: findingsLimit)
        return scan.run()
    }
}

enum Shell {
    struct Output {
        let exitCode: Int32
        let standardOutput: Data
        let standardError: String
    }

    /// Runs a program to its end. What it writes must be small enough for a pipe, or go to a file.
    static func run(
        _ program: String, _ arguments: [String] = [], input: String = "", environment: [String: String] = [:]
    ) throws -> Output {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (inputPipe, outputPipe, errorPipe) = (Pipe(), Pipe(), Pipe())
        process.standardInput = inputPipe
        process.standardOutput = outputPipe
        process.standardError = errorPipe
        try process.run()
        inputPipe.fileHandleForWriting.write(Data(input.utf8))
        try inputPipe.fileHandleForWriting.close()
        let output = outputPipe.fileHandleForReading.readDataToEndOfFile()
        let errors = errorPipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Output(
            exitCode: process.terminationStatus, standardOutput: output,
            standardError: String(decoding: errors, as: UTF8.self))
    }

    /// The built executable, which lies beside the test bundle.
    static var secretScan: URL {
        get throws {
            let bundles = [Bundle.main.executableURL, CommandLine.arguments.first.map(URL.init(fileURLWithPath:))]
            let candidates = bundles.compactMap {
                $0?.deletingLastPathComponent().appendingPathComponent("secret-scan")
            }
            return try #require(candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) })
        }
    }
}
