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

    func read() throws(CommandFailure) -> GroupsFile {
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
    /// `nil` for what is no zone of the IANA's.
    static func offset(_ name: String) -> CronSchedule.Offset? {
        // Foundation takes more than Kubernetes does: EST5EDT, and GMT+3.
        guard name.contains("/") || name == "UTC", let zone = TimeZone(identifier: name) else { return nil }
        return { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0))) }
    }
}
