/// One scan from the first file to the last.
struct Scan {
    /// Larger texts are data, not source; they are noted in the report.
    static let defaultSizeLimit = 16 * 1024 * 1024

    /// More than anybody reads. A file made of nothing but tokens must not fill the memory.
    static let defaultFindingsLimit = 10_000

    private let scanner = SecretScanner()
    private let sizeLimit: Int
    private let findingsLimit: Int
    private var unlistedFindings = 0
    private var report: ScanReport
    private var progress: ProgressReporter

    init(
        target: ScanTarget,
        progress: ProgressReporter,
        sizeLimit: Int = Scan.defaultSizeLimit,
        findingsLimit: Int = Scan.defaultFindingsLimit
    ) {
        self.sizeLimit = sizeLimit
        self.findingsLimit = findingsLimit
        self.progress = progress
        report = ScanReport(target: target)
    }

    /// Scans everything; what cannot be read is noted in the report.
    consuming func run() -> ScanReport {
        let target = report.target
        switch target.kind {
        case .directory: scanTree(target.path)
        case .archive(let isCompressed): scanArchive(target.path, isCompressed: isCompressed)
        case .file: scanSingleFile(target.path)
        }
        if unlistedFindings > 0 {
            note(.tooManyFindings, RelativePath(""), "\(unlistedFindings) more findings are not listed")
        }
        progress.finish()
        return report
    }

    private mutating func scanTree(_ root: [UInt8]) {
        // Listing a tree costs little beside reading it, and a fraction needs a whole.
        let total = TreeWalk(root: root).reduce(0) { count, _ in count + 1 }
        var done = 0
        for item in TreeWalk(root: root) {
            switch item {
            case .file(let path):
                progress.report(Double(done) / Double(max(total, 1)), path.display)
                scanFile(path, at: TreeWalk.absolute(path, in: root))
            case .unreadable(let path, let error):
                note(.unreadable, path, error.description)
            }
            done += 1
        }
    }

    private mutating func scanSingleFile(_ path: [UInt8]) {
        let name = RelativePath(RelativePath(path).name)
        progress.report(0, name.display)
        if !scanFile(name, at: path) {
            note(.binaryTarget, name, "binary, and not a tar archive")
        }
    }

    /// - Returns: false if the file is binary.
    @discardableResult
    private mutating func scanFile(_ path: RelativePath, at location: [UInt8]) -> Bool {
        do {
            let file = try FileStream(path: location)
            // Something else may have taken the place of the file that was listed.
            guard file.kind == .regular else { return true }
            return scan(try TextContent.read(from: file, expectedSize: file.size, limit: sizeLimit), of: path)
        } catch {
            note(.unreadable, path, "\(error)")
            return true
        }
    }

    private mutating func scanArchive(_ path: [UInt8], isCompressed: Bool) {
        do {
            let file = try FileStream(path: path)
            let archive = TarReader(isCompressed ? try GzipStream(file) : file)
            while let entry = try archive.nextEntry() {
                guard !SkippedFolders.contain(entry.path) else { continue }
                progress.report(Double(file.bytesRead) / Double(max(file.size, 1)), entry.path.display)
                scan(try TextContent.read(from: archive, expectedSize: entry.size, limit: sizeLimit), of: entry.path)
            }
        } catch let error as ArchiveError {
            note(.damagedArchive, RelativePath(""), error.description)
        } catch {
            note(.unreadable, RelativePath(""), "\(error)")
        }
    }

    @discardableResult
    private mutating func scan(_ content: TextContent, of path: RelativePath) -> Bool {
        switch content {
        case .text(let bytes):
            report.filesScanned += 1
            report.bytesScanned += bytes.count
            let room = findingsLimit - report.findings.count
            let findings = scanner.findings(in: SourceText(path: path, bytes: bytes))
            report.findings += findings.prefix(room)
            unlistedFindings += max(findings.count - room, 0)
            return true
        case .tooLarge:
            report.filesSkipped += 1
            note(.tooLarge, path, "larger than \(sizeLimit / 1024) KiB")
            return true
        case .binary:
            report.filesSkipped += 1
            return false
        }
    }

    private mutating func note(_ kind: ScanReport.Gap.Kind, _ path: RelativePath, _ reason: String) {
        report.gaps.append(ScanReport.Gap(kind: kind, path: path, reason: reason))
    }
}
