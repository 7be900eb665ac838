import HTTPTypes
import Hummingbird
import HummingbirdCore
import Semel

/// Lets in whoever may come in, and says who it is.
struct AccessMiddleware: RouterMiddleware {
    let access: ConsoleAccess
    let sessions: Sessions
    let audit: Audit
    let isReadOnly: Bool

    /// Shows nothing of what is in the queues.
    private static let openToAll = ["/healthz", "/login"]

    func handle(
        _ request: Request, context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        if case .open = access { try Self.checkHost(request) }
        let path = request.uri.path
        let isChange = ![.get, .head].contains(request.method)
        if isChange { try Self.checkOrigin(request) }
        var context = context
        let visitor = try await visitor(request)
        context.visitor = visitor
        if visitor == nil, !Self.openToAll.contains(path), !path.hasPrefix("/assets/") {
            return try refusal(request)
        }
        if isChange, isReadOnly, path != "/login", path != "/logout" {
            throw HTTPError(.forbidden, message: "this console is read-only (--read-only)")
        }
        var response = try await next(request, context)
        if let session = visitor?.newSession { response.setCookie(Self.cookie(session.text, request)) }
        return response
    }

    /// `nil` for somebody who may not come in.
    private func visitor(_ request: Request) async throws -> Visitor? {
        let session = request.cookies[Sessions.cookieName(request.head.authority)].flatMap {
            sessions.session($0.value)
        }
        switch access {
        case .open: return known("local", session, request)
        case .proxyUser(let header):
            guard let user = request.header(header), !user.isEmpty else { return nil }
            return known(user, session, request)
        case .token:
            if let authorization = request.headers[.authorization] {
                let words = authorization.split(separator: " ", maxSplits: 1)
                guard words.count == 2, words[0].lowercased() == "bearer", sessions.isToken(String(words[1])) else {
                    await audit.refused()
                    throw HTTPError(.unauthorized, message: "Authorization: not ‘Bearer’ with the console's token")
                }
                return Visitor(name: "token", formToken: "", isProgram: true)
            }
            guard let session else { return nil }
            return Visitor(
                name: "token", formToken: sessions.formToken(session, user: "token"), isSignedIn: true)
        }
    }

    private func known(_ user: String, _ session: Session?, _ request: Request) -> Visitor {
        let new = session == nil ? sessions.new() : nil
        let token = (session ?? new).map { sessions.formToken($0, user: user) } ?? ""
        // Every browser says with a change where the page is from that makes it.
        let isBrowser = request.headers[.origin] != nil || request.header(Self.fetchSite) != nil
        return Visitor(name: user, formToken: token, newSession: new, isProgram: !isBrowser)
    }

    private func refusal(_ request: Request) throws -> Response {
        if case .proxyUser(let header) = access {
            throw HTTPError(.unauthorized, message: "the proxy in front of this console sent no \(header)")
        }
        guard request.method == .get, !request.uri.path.hasPrefix("/api/"), !request.uri.path.hasPrefix("/events/")
        else {
            throw HTTPError(
                .unauthorized, headers: [.wwwAuthenticate: "Bearer realm=\"semel console\""],
                message: "the token is missing: send ‘Authorization: Bearer TOKEN’, or sign in at /login")
        }
        return .redirect(to: "/login", type: .normal)
    }

    /// A name of somebody else's that leads to this machine lets their page in the browser read what is here (DNS rebinding).
    private static func checkHost(_ request: Request) throws {
        let authority = request.head.authority ?? ""
        let host =
            authority.hasPrefix("[") ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        guard Loopback.isName(String(host)) else {
            throw HTTPError(
                .misdirectedRequest, message: "without a token this console is for localhost only, not for ‘\(host)’")
        }
    }

    private static let fetchSite = "Sec-Fetch-Site"

    private static func checkOrigin(_ request: Request) throws {
        if let site = request.header(fetchSite) {
            guard ["same-origin", "none"].contains(site) else {
                throw HTTPError(.forbidden, message: "a page of another site may change nothing here")
            }
            return
        }
        guard let origin = request.headers[.origin] else { return }
        let own = [request.head.authority, request.header("X-Forwarded-Host")].compactMap { $0 }
        guard let host = origin.split(separator: "/").last, own.contains(String(host)) else {
            throw HTTPError(.forbidden, message: "a page of another site may change nothing here")
        }
    }

    /// Over TLS, as far as a proxy says so, it is for TLS only.
    static func cookie(_ value: String, _ request: Request, age: Int64 = Sessions.seconds) -> Cookie {
        return Cookie(
            name: Sessions.cookieName(request.head.authority), value: value, maxAge: Int(age), path: "/",
            secure: request.header("X-Forwarded-Proto") == "https", httpOnly: true, sameSite: .strict)
    }
}

extension Request {
    /// By the name of a header that has no constant.
    func header(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { headers[$0] }
    }
}
