import Foundation
import Testing

@testable import SecretScan

@Suite struct ArchiveTests {
    /// A tree that every format has trouble with somewhere: a long name, links, folders, empty files.
    private func makeTree() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let long = String(repeating: "d", count: 90)
        try folder.write("one\n" + MadeUp.gitHubToken(), to: "tree/a.txt")
        try folder.write("", to: "tree/empty")
        try folder.write(MadeUp.gitHubToken(), to: "tree/node_modules/x/a.txt")
        try folder.write("\0" + MadeUp.gitHubToken(), to: "tree/program")
        let filler = (1...300).map { MadeUp.text(99, seed: $0) + "\n" }.joined()
        try folder.write(filler + MadeUp.gitHubToken(), to: "tree/\(long)/z.txt")
        let files = FileManager.default
        try files.createSymbolicLink(
            atPath: folder.url.appendingPathComponent("tree/link").path, withDestinationPath: "a.txt")
        try files.linkItem(
            at: folder.url.appendingPathComponent("tree/a.txt"), to: folder.url.appendingPathComponent("tree/b.txt"))
        return folder
    }

    private func pack(_ folder: TemporaryFolder, as name: String, _ options: [String]) throws {
        let arguments = options + ["--sort=name", "-cf", name, "-C", "tree", "."]
        let output = try Shell.run("env", ["-C", folder.url.path, "tar"] + arguments)
        #expect(output.exitCode == 0, "\(output.standardError)")
    }

    @Test(arguments: ["v7", "ustar", "gnu", "pax"], [("", "tar"), ("-z", "tar.gz"), ("-z", "tgz"), ("-z", "upload")])
    func readsWhatTarWrites(format: String, compression: (option: String, name: String)) throws {
        let folder = try makeTree()
        let options = ["--format=\(format)"] + (compression.option.isEmpty ? [] : [compression.option])
        let name = "tree.\(compression.name)"
        try pack(folder, as: name, options)
        let report = try folder.scan(name)
        #expect(report.findings.map(\.line) == [2, 301])
        #expect(report.findings.map(\.path.display) == ["a.txt", String(repeating: "d", count: 90) + "/z.txt"])
        #expect((report.filesScanned, report.filesSkipped) == (3, 1))
        #expect(report.gaps.isEmpty)
    }

    @Test(arguments: ["gnu", "pax"])
    func readsLongNames(format: String) throws {
        let folder = try TemporaryFolder()
        let path = (1...4).map { String(repeating: "\($0)", count: 120) }.joined(separator: "/") + "/ä.txt"
        try folder.write(MadeUp.gitHubToken(), to: "tree/\(path)")
        try folder.write(MadeUp.gitHubToken(), to: "tree/short.txt")
        try pack(folder, as: "tree.tar", ["--format=\(format)"])
        #expect(try folder.scan("tree.tar").findings.map(\.path.display) == [path, "short.txt"])
    }

    /// A header holds 100 bytes of the name: `./`, the folder's name, `/`, and no more.
    @Test(arguments: ["gnu", "pax", "ustar"])
    func aNameThatIsCutAtASlashIsNoFolder(format: String) throws {
        let folder = try TemporaryFolder()
        let path = String(repeating: "d", count: 97) + "/a.txt"
        try folder.write(MadeUp.gitHubToken(), to: "tree/\(path)")
        try folder.write(MadeUp.gitHubToken(), to: "tree/next.txt")
        try pack(folder, as: "tree.tar", ["--format=\(format)"])
        #expect(try folder.scan("tree.tar").findings.map(\.path.display) == [path, "next.txt"])
    }

    @Test(arguments: ["gnu", "pax"])
    func passesOverSparseFiles(format: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "tree/holes")
        let holes = try FileHandle(forWritingTo: folder.url.appendingPathComponent("tree/holes"))
        // So many pieces that GNU's list of them does not end in the header.
        for piece in 1...40 {
            try holes.seek(toOffset: UInt64(piece) * 65_536)
            holes.write(Data(repeating: 97, count: 4096))
        }
        try holes.close()
        try folder.write(MadeUp.gitHubToken(), to: "tree/next.txt")
        try pack(folder, as: "tree.tar", ["--format=\(format)", "--sparse"])
        let report = try folder.scan("tree.tar")
        #expect(report.findings.map(\.path.display) == ["next.txt"])
        #expect(report.isComplete)
    }

    @Test func readsSeveralGzipMembers() throws {
        let folder = try makeTree()
        try pack(folder, as: "tree.tar", [])
        let script =
            "head -c 700 tree.tar | gzip > t.tgz; tail -c +701 tree.tar | gzip >> t.tgz; head -c 512 /dev/zero >> t.tgz"
        _ = try Shell.run("env", ["-C", folder.url.path, "sh", "-c", script])
        let report = try folder.scan("t.tgz")
        #expect(report.findings.count == 2)
        #expect(report.isComplete)
    }

    @Test(arguments: ["tree.tar", "tree.tgz"])
    func keepsWhatItFoundInATruncatedArchive(name: String) throws {
        let folder = try makeTree()
        try pack(folder, as: name, name.hasSuffix("gz") ? ["-z"] : [])
        let file = folder.url.appendingPathComponent(name)
        let data = try Data(contentsOf: file)
        try data.prefix(data.count / 2).write(to: file)
        let report = try folder.scan(name)
        #expect(report.findings.map(\.path.display) == ["a.txt"])
        #expect(report.gaps.map(\.kind) == [.damagedArchive])
        #expect(!report.isComplete)
    }

    @Test func saysWhatIsWrongWithAnArchive() throws {
        let folder = try TemporaryFolder()
        try folder.write(Data([0x1f, 0x8b, 8, 0, 1, 2, 3]), to: "a.tgz")
        try folder.write(String(repeating: "text\n", count: 1000), to: "b.tar")
        _ = try Shell.run("env", ["-C", folder.url.path, "sh", "-c", "gzip -c b.tar > c.gz"])
        #expect(try folder.scan("a.tgz").gaps.map(\.reason) == [ArchiveError.truncated.description])
        #expect(try folder.scan("b.tar").gaps.map(\.reason) == [ArchiveError.notTar.description])
        #expect(try folder.scan("c.gz").gaps.map(\.reason) == [ArchiveError.notTar.description])
    }

    @Test func emptyArchivesAreComplete() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("tree"), withIntermediateDirectories: false)
        try pack(folder, as: "tree.tgz", ["-z"])
        let report = try folder.scan("tree.tgz")
        #expect(report.isComplete)
        #expect(report.filesScanned == 0)
    }

    @Test func absurdSizesDoNoHarm() throws {
        var header = [UInt8](repeating: 0, count: 512)
        header.replaceSubrange(0..<5, with: Array("a.txt".utf8))
        header[124] = 0x80
        header.replaceSubrange(128..<136, with: [0x3f] + [UInt8](repeating: 0xff, count: 7))
        header[156] = UInt8(ascii: "0")
        header.replaceSubrange(257..<263, with: Array("ustar".utf8) + [0])
        header.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        header.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 32])

        let folder = try TemporaryFolder()
        try folder.write(Data(header) + Data(MadeUp.gitHubToken().utf8), to: "a.tar")
        #expect(try folder.scan("a.tar").gaps.map(\.kind) == [.damagedArchive])
    }
}
