import Foundation
import Testing

@testable import SecretScan

@Suite struct TreeTests {
    @Test func scansFilesInOrder() throws {
        let folder = try TemporaryFolder()
        for path in ["b/2.txt", "a.txt", "b/1.txt", "c/deep/er/x.txt"] {
            try folder.write("\n" + MadeUp.gitHubToken(), to: path)
        }
        try folder.write("nothing here", to: "clean.txt")
        try folder.write("", to: "empty")
        let report = try folder.scan()
        #expect(report.findings.map(\.path.display) == ["a.txt", "b/1.txt", "b/2.txt", "c/deep/er/x.txt"])
        #expect(report.findings.allSatisfy { $0.line == 2 })
        #expect(report.filesScanned == 6)
        #expect(report.isComplete)
    }

    @Test func leavesOutOtherPeoplesFolders() throws {
        let folder = try TemporaryFolder()
        for name in [".git", ".build", "node_modules", "dist"] {
            try folder.write(MadeUp.gitHubToken(), to: "\(name)/a.txt")
            try folder.write(MadeUp.gitHubToken(), to: "sub/\(name)/deeper/a.txt")
        }
        try folder.write(MadeUp.gitHubToken(), to: "distribution/.gitlab/a.txt")
        #expect(try folder.scan().findings.map(\.path.display) == ["distribution/.gitlab/a.txt"])
    }

    @Test func aSkippedNameAsTheTargetIsScanned() throws {
        let folder = try TemporaryFolder()
        try folder.write(MadeUp.gitHubToken(), to: "dist/a.txt")
        #expect(try folder.scan("dist").findings.count == 1)
    }

    @Test func leavesOutBinaryFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write(MadeUp.gitHubToken() + "\n\0", to: "program")
        let padding = String(repeating: "a\n", count: 8 * 1024)
        try folder.write(padding + "\0" + MadeUp.gitHubToken(), to: "late-nul.txt")
        let report = try folder.scan()
        #expect(report.findings.map(\.path.display) == ["late-nul.txt"])
        #expect((report.filesScanned, report.filesSkipped) == (1, 1))
    }

    @Test(arguments: [0, 1, 8191, 8192, 8193, 16384, 100_000])
    func readsFilesOfAllSizesToTheEnd(size: Int) throws {
        let folder = try TemporaryFolder()
        try folder.write(String(repeating: "\n", count: size) + MadeUp.gitHubToken(), to: "a.txt")
        #expect(try folder.scan().findings.map(\.line) == [size + 1])
    }

    @Test func notesTextsThatAreTooLarge() throws {
        let folder = try TemporaryFolder()
        let padding = String(repeating: ".", count: 20_000)
        try folder.write(padding + " " + MadeUp.gitHubToken(), to: "large.txt")
        try folder.write(padding + "\0", to: "large-late-nul")
        try folder.write("\0" + padding, to: "large-binary")
        let report = try folder.scan(sizeLimit: 20_000)
        #expect(report.findings.isEmpty)
        #expect(report.gaps.map(\.path.display) == ["large-late-nul", "large.txt"])
        #expect(report.gaps.allSatisfy { $0.kind == .tooLarge })
        #expect(report.isComplete)
    }

    @Test func followsNoLinks() throws {
        let outside = try TemporaryFolder()
        try outside.write(MadeUp.gitHubToken(), to: "a.txt")
        let folder = try TemporaryFolder()
        let links = FileManager.default
        try links.createSymbolicLink(at: folder.url.appendingPathComponent("folder"), withDestinationURL: outside.url)
        try links.createSymbolicLink(
            at: folder.url.appendingPathComponent("file"),
            withDestinationURL: outside.url.appendingPathComponent("a.txt"))
        try links.createSymbolicLink(at: folder.url.appendingPathComponent("loop"), withDestinationURL: folder.url)
        let report = try folder.scan()
        #expect(report.findings.isEmpty)
        #expect(report.filesScanned == 0)
        #expect(try folder.scan("folder").findings.count == 1, "the target itself may be a link")
    }

    @Test(.timeLimit(.minutes(1))) func waitsForNoPipe() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.url.appendingPathComponent("pipe").path, 0o600) == 0)
        #expect(try folder.scan().isComplete)
        #expect(throws: MessageError.self) { try folder.scan("pipe") }
    }

    /// Works for root too, whom no permission stops: the whole path is longer than the system takes.
    @Test func notesWhatCannotBeRead() throws {
        let folder = try TemporaryFolder()
        try folder.write(MadeUp.gitHubToken(), to: "z.txt")
        let name = String(repeating: "n", count: 250)
        var descriptor = open(folder.url.path, O_RDONLY)
        for _ in 0..<17 {
            #expect(mkdirat(descriptor, name, 0o700) == 0)
            let next = openat(descriptor, name, O_RDONLY)
            close(descriptor)
            descriptor = next
        }
        close(descriptor)
        let report = try folder.scan()
        #expect(report.gaps.map(\.kind) == [.unreadable])
        #expect(report.gaps.first?.reason == SystemError(code: ENAMETOOLONG).description)
        #expect(report.findings.map(\.path.display) == ["z.txt"])
        #expect(report.isComplete)
    }

    @Test func namesNeedNotBeUnicode() throws {
        let folder = try TemporaryFolder()
        let name: [CChar] = folder.url.path.utf8CString.dropLast() + [47, -1, 58, 32, 97, 0]
        let descriptor = open(name, O_WRONLY | O_CREAT, 0o600)
        let token = Array(MadeUp.gitHubToken().utf8)
        #expect(write(descriptor, token, token.count) == token.count)
        close(descriptor)
        #expect(try folder.scan().findings.map(\.path.uri) == ["%FF%3A%20a"])
    }

    @Test func listsOnlySoManyFindings() throws {
        let folder = try TemporaryFolder()
        let tokens = (1...5).map { MadeUp.gitHubToken(seed: $0) }.joined(separator: "\n")
        try folder.write(tokens, to: "a.txt")
        try folder.write(tokens, to: "b.txt")
        let report = try folder.scan(findingsLimit: 7)
        #expect(report.findings.count == 7)
        #expect(report.gaps.map(\.kind) == [.tooManyFindings])
        #expect(report.gaps.first?.reason.hasPrefix("3 more") == true)
    }

    @Test func scansASingleFile() throws {
        let folder = try TemporaryFolder()
        try folder.write(MadeUp.gitHubToken(), to: "a.txt")
        try folder.write("\0", to: "program")
        #expect(try folder.scan("a.txt").findings.map(\.path.display) == ["a.txt"])
        let binary = try folder.scan("program")
        #expect(binary.gaps.map(\.kind) == [.binaryTarget])
        #expect(!binary.isComplete)
    }
}

@Suite struct RepositoryTests {
    @Test func thisRepositoryHoldsNoSecrets() throws {
        var root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        while root.path != "/",
            !FileManager.default.fileExists(atPath: root.appendingPathComponent("Package.swift").path)
        {
            root.deleteLastPathComponent()
        }
        let scan = Scan(target: try ScanTarget(path: root.path), progress: ProgressReporter(variable: nil))
        let report = scan.run()
        let places = report.findings.map { "\($0.path.display):\($0.line) \(Rule.all[$0.ruleIndex].id)" }
        #expect(places == [])
        #expect(report.filesScanned > 20)
    }
}
