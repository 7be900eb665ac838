/// Numbers as KEDA's language converts and reads them. Where Go leaves a result open, it is that of amd64.
enum GoNumbers {
    /// `int64(x)`: towards zero; what does not fit, and NaN, becomes the smallest number.
    static func int64(_ value: Double) -> Int64 {
        Int64(exactly: value.rounded(.towardZero)) ?? .min
    }

    /// `int64(math.Ceil(x))`
    static func ceiling(_ value: Double) -> Int64 {
        int64(value.rounded(.up))
    }

    /// What is left of a number that goes through a Kubernetes quantity in thousandths: 1.001 is cut to 1, since 1.001 *
    /// 1000 is a little less than 1001. On its way back it is multiplied, not divided: 1001 thousandths are
    /// 1.0009999999999999.
    static func throughThousandths(_ value: Double) -> Double {
        Double(int64(value * 1_000)) * 0.001
    }

    /// `strconv.ParseFloat(text, 64)`; `nil` where it returns an error.
    static func parseFloat(_ text: String) -> Double? {
        let unsigned = text.first == "+" || text.first == "-" ? text.dropFirst() : text[...]
        switch unsigned.lowercased() {
        case "inf", "infinity": return text.first == "-" ? -.infinity : .infinity
        case "nan": return unsigned.count == text.count ? .nan : nil
        default: break
        }
        guard isDecimal(unsigned) || isHexadecimal(unsigned), let value = Double(String(unsigned)), value.isFinite
        else {
            return nil
        }
        return text.first == "-" ? -value : value
    }

    /// `strconv.ParseBool(text)`; `nil` where it returns an error.
    static func parseBool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// A number as JSON writes it, which is how KEDA reads numbers in a trigger's metadata.
    static func jsonNumber(_ text: String) -> Double? {
        let unsigned = text.first == "-" ? text.dropFirst() : text[...]
        guard let first = unsigned.first, "0"..."9" ~= first, unsigned.last.map({ "0"..."9" ~= $0 }) == true,
            isDecimal(unsigned), !unsigned.contains(".e"), !unsigned.contains(".E"),
            first != "0" || unsigned.count == 1 || !("0"..."9" ~= unsigned.dropFirst().first ?? "0"),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    /// A whole number as JSON writes it: no sign but minus, no leading zero.
    static func jsonInteger(_ text: String) -> Int64? {
        let unsigned = text.first == "-" ? text.dropFirst() : text[...]
        guard !unsigned.isEmpty, unsigned.allSatisfy({ "0"..."9" ~= $0 }),
            unsigned.first != "0" || unsigned.count == 1
        else { return nil }
        return Int64(text)
    }

    /// `12`, `1.5`, `.5`, `5.`, `1e3`
    private static func isDecimal(_ text: Substring) -> Bool {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        guard parts.count == 1 || isExponent(parts[1]), let mantissa = parts.first else { return false }
        let digits = mantissa.filter { $0 != "." }
        return mantissa.count - digits.count <= 1 && !digits.isEmpty && digits.allSatisfy { "0"..."9" ~= $0 }
    }

    /// `0x1.8p3`: Go wants the exponent.
    private static func isHexadecimal(_ text: Substring) -> Bool {
        guard text.hasPrefix("0x") || text.hasPrefix("0X") else { return false }
        let parts = text.dropFirst(2).split(omittingEmptySubsequences: false) { $0 == "p" || $0 == "P" }
        guard parts.count == 2, isExponent(parts[1]) else { return false }
        let digits = parts[0].filter { $0 != "." }
        return parts[0].count - digits.count <= 1 && !digits.isEmpty && digits.allSatisfy(\.isHexDigit)
    }

    private static func isExponent(_ text: Substring) -> Bool {
        let digits = text.first == "+" || text.first == "-" ? text.dropFirst() : text
        return !digits.isEmpty && digits.allSatisfy { "0"..."9" ~= $0 }
    }
}
