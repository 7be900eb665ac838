import Foundation
import TestSupport

/// How large the executables are.
struct Sizes {
    let bench: Bench

    func section() throws -> Section {
        var section = Section(title: "Size")
        let consume = try Executable.installed("amqp-consume").path
        section.rows = [
            Row("`dist/semel`, static: all it needs", try size(bench.semel), .bytes, limit: 25e6),
            Row(
                "the same", try size(bench.semel), .bytes,
                against: ("`amqp-consume` and its libraries", try size(consume) + libraries(of: consume))),
            Row(
                "the same", try size(bench.semel), .bytes,
                against: ("rq's virtual environment, without Python", try tree(bench.settings.peers))),
            Row("`dist/semelctl`", try size(bench.semelctl), .bytes),
        ]
        return section
    }

    private func size(_ path: String) throws -> Double {
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        return Double(try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0)
    }

    private func libraries(of program: String) throws -> Double {
        let paths = try Machine.output(["/usr/bin/ldd", program]).split(whereSeparator: \.isWhitespace)
        return try paths.filter { $0.hasPrefix("/") }.reduce(0) { try $0 + size(String($1)) }
    }

    private func tree(_ path: String) throws -> Double {
        let sizes = try Machine.output(["/usr/bin/du", "-sb", path])
        return sizes.split(whereSeparator: \.isWhitespace).first.flatMap { Double($0) } ?? 0
    }
}
