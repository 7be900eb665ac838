import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Lets browsers in that know the token.
struct SignInRoutes: Sendable {
    let pages: Pages
    let sessions: Sessions
    let audit: Audit

    func add(to router: Router<ConsoleContext>) {
        router.get("/login") { _, context -> Response in
            context.visitor == nil ? page() : .redirect(to: "/", type: .normal)
        }
        router.post("/login") { request, context -> Response in
            let body = try await request.body.collect(upTo: 64 << 10)
            guard sessions.isToken(Form(String(buffer: body))["token"] ?? "") else {
                await audit.refused()
                return page(problem: "That is not the token.", status: .unauthorized)
            }
            await audit(Audit.Entry(audit: "sign-in", user: "token"))
            var response = Response.redirect(to: "/", type: .found)
            response.setCookie(AccessMiddleware.cookie(sessions.new().text, request))
            return response
        }
        router.post("/logout") { request, context -> Response in
            _ = try await Form(request, context)
            var response = Response.redirect(to: "/login", type: .found)
            response.setCookie(AccessMiddleware.cookie("", request, age: 0))
            return response
        }
    }

    private func page(problem: String? = nil, status: HTTPResponse.Status = .ok) -> Response {
        pages.page("login", LoginView(problem: problem), title: "Sign in", at: "/login", nil, status: status)
    }
}

private struct LoginView {
    let problem: String?
}
