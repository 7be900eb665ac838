/// A part of a long list.
struct Paging: Sendable {
    static let size = 50

    let number: Int
    let count: Int
    let range: Range<Int>

    /// - Parameters:
    ///   - wanted: From 1; what is no page is the nearest one.
    init(_ wanted: String?, of total: Int) {
        count = max(1, (total + Self.size - 1) / Self.size)
        number = min(max(wanted.flatMap { Int($0) } ?? 1, 1), count)
        range = (number - 1) * Self.size..<min(number * Self.size, total)
    }
}

/// `nil` where there is one page only.
struct PagerView {
    let number: Int
    let count: Int
    let previous: String?
    let next: String?

    init?(_ paging: Paging, _ path: String, _ query: [(String, String)]) {
        guard paging.count > 1 else { return nil }
        (number, count) = (paging.number, paging.count)
        func address(_ page: Int) -> String { path + QueryText.of(query + [("page", "\(page)")]) }
        previous = paging.number > 1 ? address(paging.number - 1) : nil
        next = paging.number < paging.count ? address(paging.number + 1) : nil
    }
}

enum QueryText {
    /// `?a=b&c=d`, percent-encoded; empty for none.
    static func of(_ items: [(String, String)]) -> String {
        items.isEmpty ? "" : "?" + items.map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
    }

    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.append(byte)
            default: escaped += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
