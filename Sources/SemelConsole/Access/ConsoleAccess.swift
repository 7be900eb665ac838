/// Who may use the console.
public enum ConsoleAccess: Sendable {
    /// Whoever reaches it: for the loopback interface.
    case open
    /// Who knows the token: a browser signs in with it, a program sends it as `Authorization: Bearer`.
    case token(String)
    /// Whom a proxy in front has let in, and names in this header.
    case proxyUser(header: String)

    /// A token has to be at least so long, so that nobody guesses it.
    public static let leastTokenBytes = 16
}

/// Who asks.
struct Visitor: Sendable {
    /// For the audit: the proxy's user, `token` or `local`.
    var name: String
    /// Goes into forms and comes back with them, so that no other site can send one.
    var formToken: String
    /// Sent with the answer, when the browser has none yet.
    var newSession: Session?
    /// No other site's page can be behind it: it sent the token itself, or it is no browser.
    var isProgram = false
    /// Has a session to sign out of.
    var isSignedIn = false
}
