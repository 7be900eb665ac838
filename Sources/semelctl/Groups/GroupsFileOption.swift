import ArgumentParser
import Foundation
import Semel
import SemelGroups
import SemelKEDA

/// `-f`: which groups are meant.
struct GroupsFileOption: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("groups.yaml (docs/groups.md); ‘-’ is standard input.", valueName: "path"))
    var file: String

    /// - Parameter namespace: The one of the command line.
    func read(namespace: String?) throws(CommandFailure) -> GroupsFile {
        let text = try ManifestFiles.text(of: file)
        let groups: GroupsFile
        do throws(ManifestError) {
            groups = try GroupsFile(text, file: file == "-" ? "standard input" : file)
        } catch {
            throw .misconfigured(error.description)
        }
        let zone = groups.timeZone
        guard TimeZones.offset(zone.value) != nil else {
            throw .misconfigured(
                "\(zone.position): \(zone.path): ‘\(zone.value)’ is no time zone; write one such as Europe/Berlin or Etc/UTC"
                    .onOneLine)
        }
        if let own = groups.namespace, let namespace, own != namespace {
            throw .usage("--namespace: is ‘\(namespace)’, and \(file) says ‘\(own)’; leave one of them out")
        }
        return groups
    }

    /// What a path in the file is relative to.
    var directory: URL {
        file == "-"
            ? URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
            : URL(fileURLWithPath: file).deletingLastPathComponent()
    }
}

/// The time zones that this program knows without any file of the machine's.
enum TimeZones {
    /// Those that are called after no place. Foundation takes abbreviations besides, which Kubernetes does not know.
    private static let short: Set = [
        "UTC", "GMT", "CET", "EET", "MET", "WET", "EST", "MST", "HST", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT",
        "Cuba",
        "Egypt", "Eire", "GB", "GB-Eire", "GMT0", "Greenwich", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica",
        "Japan",
        "Kwajalein", "Libya", "NZ", "NZ-CHAT", "Navajo", "PRC", "Poland", "Portugal", "ROC", "ROK", "Singapore",
        "Turkey",
        "UCT", "Universal", "W-SU", "Zulu",
    ]

    /// `nil` for what is no zone of the IANA's.
    static func offset(_ name: String) -> CronSchedule.Offset? {
        guard name.contains("/") || short.contains(name), let zone = TimeZone(identifier: name) else { return nil }
        return { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0))) }
    }
}
