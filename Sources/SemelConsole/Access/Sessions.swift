import CDigest
import Semel
import SemelSQS

/// What a browser has in its cookie: nothing is kept here, so that a console which was asleep still knows it.
struct Session: Sendable {
    var text: String
    fileprivate var nonce: String
}

/// Makes and recognises sessions.
struct Sessions: Sendable {
    /// Browsers tell cookies apart by host, not by port: two consoles on one machine would take each other's.
    static func cookieName(_ authority: String?) -> String {
        let port = (authority ?? "").split(separator: ":").last.flatMap { UInt16($0) }
        return "semel-console" + (port.map { "-\($0)" } ?? "")
    }

    static let seconds: Int64 = 12 * 3_600

    private let key: [UInt8]
    private let tokenCode: [UInt8]?

    init(_ access: ConsoleAccess) {
        if case .token(let token) = access {
            key = SHA256.authenticationCode(of: Array("semel console".utf8), key: Array(token.utf8))
            tokenCode = SHA256.authenticationCode(of: Array(token.utf8), key: key)
        } else {
            // Those of an earlier process are not known any more: a form of a page that is so old is shown again.
            key = Array((MessageID.random() + MessageID.random()).utf8)
            tokenCode = nil
        }
    }

    /// - Returns: Whether it is the token, found out in a time that tells nothing about it.
    func isToken(_ text: String) -> Bool {
        guard let tokenCode else { return false }
        return Self.same(SHA256.authenticationCode(of: Array(text.utf8), key: key), tokenCode)
    }

    func new() -> Session {
        let nonce = MessageID.random()
        let end = Timestamp.now.milliseconds / 1_000 + Self.seconds
        let content = "\(end).\(nonce)"
        return Session(text: "\(content).\(code("session", content))", nonce: nonce)
    }

    /// `nil` when it is none of this console's, or too old.
    func session(_ text: String) -> Session? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let end = Int64(parts[0]), end > Timestamp.now.milliseconds / 1_000,
            Self.same(Array(parts[2].utf8), Array(code("session", "\(parts[0]).\(parts[1])").utf8))
        else { return nil }
        return Session(text: text, nonce: String(parts[1]))
    }

    func formToken(_ session: Session, user: String) -> String {
        code("form", "\(session.nonce).\(user)")
    }

    static func isFormToken(_ text: String, of visitor: Visitor) -> Bool {
        same(Array(text.utf8), Array(visitor.formToken.utf8))
    }

    /// Hexadecimal.
    private func code(_ purpose: String, _ content: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let code = SHA256.authenticationCode(of: Array("\(purpose)|\(content)".utf8), key: key)
        return String(decoding: code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func same(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        // Empty is what a digest is that could not be made.
        !one.isEmpty && one.count == other.count && semel_same_bytes(one, other, one.count) == 1
    }
}
