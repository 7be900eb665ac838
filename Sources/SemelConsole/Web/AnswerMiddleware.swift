import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Semel

/// Makes a page, or JSON for a program, of what goes wrong, and gives every answer the headers that browsers should have.
struct AnswerMiddleware: RouterMiddleware {
    let pages: Pages

    func handle(
        _ request: Request, context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPError {
            response = answer(error.status, error.body, request)
            for field in error.headers { response.headers.append(field) }
        } catch let failure as QueueFailure {
            response = answer(failure.status, failure.reason, request)
        } catch is NIOTooManyBytesError {
            response = answer(.contentTooLarge, "that is too large", request)
        }
        for (name, value) in Self.headers {
            if let name = HTTPField.Name(name), response.headers[name] == nil { response.headers[name] = value }
        }
        return response
    }

    /// Nothing of this site may run or be shown that is not of this site.
    private static let headers = [
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
                + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ]

    private func answer(_ status: HTTPResponse.Status, _ reason: String?, _ request: Request) -> Response {
        let reason = reason ?? (status == .notFound ? "there is no such page" : status.reasonPhrase)
        if request.uri.path.hasPrefix("/api/") || request.uri.path.hasPrefix("/events/") {
            return .json(["error": reason], status: status)
        }
        return pages.error(status, reason)
    }
}

extension QueueFailure {
    /// What the queue cannot do it will not do the next time either; a proxy may try a 502 again.
    var status: HTTPResponse.Status {
        switch self {
        case .unreachable, .refused: .badGateway
        case .misconfigured: .unprocessableContent
        }
    }
}

extension Response {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        guard let bytes = JSONLine.bytes(of: value) else {
            return .json(["error": "there is no way to say this in JSON"], status: .internalServerError)
        }
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
