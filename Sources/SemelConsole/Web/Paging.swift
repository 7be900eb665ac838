import SemelKubernetes

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
        func address(_ page: Int) -> String { path + URLText.query(query + [("page", "\(page)")]) }
        previous = paging.number > 1 ? address(paging.number - 1) : nil
        next = paging.number < paging.count ? address(paging.number + 1) : nil
    }
}
