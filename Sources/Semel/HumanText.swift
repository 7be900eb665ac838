/// Numbers as people read them.
package enum HumanText {
    /// `1.2 MB`: powers of 1000.
    package static func bytes(_ count: Int) -> String {
        var value = Double(count)
        if value < 1_000 { return "\(count) B" }
        for unit in ["kB", "MB", "GB"] {
            value /= 1_000
            // What would be rounded to 1000 is 1 of the next unit.
            if value < 999.95 { return "\(decimal(value, digits: 1)) \(unit)" }
        }
        return "\(decimal(value / 1_000, digits: 1)) TB"
    }

    /// `1 message`, `2000 messages`.
    package static func messages(_ count: Int) -> String {
        count == 1 ? "1 message" : "\(count) messages"
    }

    /// `0.004 s`, `0.4 s`, `12.3 s`.
    package static func seconds(_ duration: Duration) -> String {
        let seconds = duration.seconds
        return "\(decimal(seconds, digits: seconds < 0.1 ? 3 : 1)) s"
    }

    /// `0.3/s`, `5000/s`.
    package static func rate(_ perSecond: Double) -> String {
        perSecond < 10 ? "\(decimal(perSecond, digits: 1))/s" : "\(Int(perSecond.rounded()))/s"
    }

    /// `5s`, `3m 20s`, `2h 5m`, `3d 4h`: the two largest units.
    package static func age(_ seconds: Double) -> String {
        let seconds = Int(min(max(0, seconds), 1e15))
        return switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3_600: "\(seconds / 60)m \(seconds % 60)s"
        case ..<86_400: "\(seconds / 3_600)h \(seconds % 3_600 / 60)m"
        default: "\(seconds / 86_400)d \(seconds % 86_400 / 3_600)h"
        }
    }

    private static func decimal(_ value: Double, digits: Int) -> String {
        let scale = digits == 3 ? 1_000 : 10
        let scaled = Int((value * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        return "\(scaled / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }
}
