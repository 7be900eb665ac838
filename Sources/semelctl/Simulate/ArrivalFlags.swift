import ArgumentParser
import Foundation
import Semel
import SemelKEDA

/// When messages come. What is given in several ways adds up.
struct ArrivalFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Messages at times, in seconds: 0:10,300:5 is ten at once and five after five minutes.",
            valueName: "seconds:count,…"))
    var arrivals: String?

    @Option(
        help: ArgumentHelp(
            "Messages one after the other, evenly: 2/s, 30/m, 100/h. random:2/s is as from many senders.",
            valueName: "rate"))
    var rate: String?

    @Option(name: .customLong("for"), help: ArgumentHelp("For how long --rate goes on.", valueName: "time"))
    var length: String?

    @Option(help: ArgumentHelp("The same as --arrivals, a line each: seconds,count.", valueName: "path"))
    var arrivalsFile: String?

    func schedule(seed: UInt64) throws(CommandFailure) -> ArrivalSchedule {
        guard arrivals != nil || rate != nil || arrivalsFile != nil else {
            throw .usage(
                "say when messages come: --arrivals 0:10,300:5, --rate 2/s with --for 10m, or --arrivals-file FILE.csv")
        }
        var batches: [ArrivalSchedule.Batch] = []
        if let arrivals {
            for entry in arrivals.split(separator: ",", omittingEmptySubsequences: false) {
                guard let (time, count) = Self.pair(entry, ":") else {
                    throw .usage("--arrivals: ‘\(entry)’ is not SECONDS:COUNT, such as 300:5")
                }
                batches.append(ArrivalSchedule.Batch(time: time, count: count))
            }
        }
        if let arrivalsFile { batches += try Self.file(arrivalsFile) }
        var room = ArrivalSchedule.mostMessages
        for batch in batches {
            guard batch.count <= room else { throw Self.tooMany }
            room -= batch.count
        }
        batches += try rated(seed: seed, room: room)
        let schedule = ArrivalSchedule(batches)
        guard schedule.messageCount > 0 else {
            if let arrivalsFile, arrivals == nil, rate == nil {
                throw .misconfigured("--arrivals-file: \(arrivalsFile): no message ever comes")
            }
            throw .usage("--arrivals, --rate: no message ever comes")
        }
        return schedule
    }

    private func rated(seed: UInt64, room: Int) throws(CommandFailure) -> [ArrivalSchedule.Batch] {
        guard let rate else {
            if length != nil { throw .usage("--for: goes with --rate only") }
            return []
        }
        guard let length else { throw .usage("--rate: say with --for for how long, such as --for 10m") }
        guard let duration = Units.duration(length), duration > .zero else {
            throw .usage("--for: ‘\(length)’ is not a time such as 10m")
        }
        let isRandom = rate.hasPrefix("random:")
        guard let perSecond = Self.perSecond(isRandom ? String(rate.dropFirst(7)) : rate) else {
            throw .usage("--rate: ‘\(rate)’ is not a rate such as 2/s, 30/m, 100/h or random:2/s")
        }
        let expected = perSecond * duration.seconds
        guard expected <= Double(room) else { throw Self.tooMany }
        let milliseconds = Int(duration.milliseconds)
        return isRandom
            ? ArrivalSchedule.random(perSecond: perSecond, for: milliseconds, seed: seed)
            : ArrivalSchedule.even(perSecond: perSecond, for: milliseconds)
    }

    private static var tooMany: CommandFailure {
        .usage("--arrivals, --rate: too many messages; at most \(ArrivalSchedule.mostMessages) are simulated")
    }

    private static func perSecond(_ text: String) -> Double? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = decimal(parts[0]), number > 0 else { return nil }
        switch parts[1] {
        case "s": return number
        case "m": return number / 60
        case "h": return number / 3_600
        default: return nil
        }
    }

    /// Lines `seconds,count`. The first may be headings; empty ones and comments (#) are skipped.
    private static func file(_ path: String) throws(CommandFailure) -> [ArrivalSchedule.Batch] {
        guard let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self)
        else {
            throw CommandFailure("--arrivals-file: \(path): cannot be read as text", .misconfigured)
        }
        var batches: [ArrivalSchedule.Batch] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let entry = line.filter { $0 != " " && $0 != "\t" }
            if entry.isEmpty || entry.hasPrefix("#") { continue }
            if let (time, count) = pair(entry[...], ",") {
                batches.append(ArrivalSchedule.Batch(time: time, count: count))
            } else if index > 0 || entry.contains(where: \.isNumber) {
                throw CommandFailure(
                    "--arrivals-file: \(path):\(index + 1): is not SECONDS,COUNT, such as 300,5", .misconfigured)
            }
        }
        return batches
    }

    /// A time in milliseconds, at most a hundred years, and a count.
    static func pair(_ text: Substring, _ separator: Character) -> (time: Int, count: Int)? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = decimal(parts[0]), seconds <= 3_155_760_000,
            let count = Int(parts[1]), count >= 0
        else { return nil }
        return (Int((seconds * 1_000).rounded()), count)
    }

    /// Digits and a point, so that neither a sign nor an exponent is taken.
    static func decimal(_ text: Substring) -> Double? {
        guard text.first?.isASCII == true, text.allSatisfy({ "0"..."9" ~= $0 || $0 == "." }) else { return nil }
        return Double(String(text))
    }
}
