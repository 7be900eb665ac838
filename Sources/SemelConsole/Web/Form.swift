import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// What a form sent.
struct Form: Sendable {
    private let fields: FlatDictionary<Substring, Substring>

    /// Reads it, and makes sure that it is one of this console's own.
    init(_ request: Request, _ context: ConsoleContext, upTo limit: Int = 1 << 20) async throws {
        let body = try await request.body.collect(upTo: limit)
        // In a form, a space is a plus sign.
        self.init(String(buffer: body))
        guard let visitor = context.visitor, visitor.isProgram || Sessions.isFormToken(self["form"] ?? "", of: visitor)
        else {
            throw HTTPError(
                .forbidden, message: "this form is not one of this console's, or too old: go back, load the page again")
        }
    }

    init(_ text: String) {
        fields = Self.query(text)
    }

    static func query(_ text: String) -> FlatDictionary<Substring, Substring> {
        URI("/?" + text.replacing("+", with: "%20").replacing("#", with: "%23")).queryParameters
    }

    /// `nil` when it is not there, or empty.
    subscript(name: String) -> String? {
        fields[Substring(name)].flatMap { $0.isEmpty ? nil : String($0) }
    }

    func all(_ name: String) -> [String] {
        fields[values: Substring(name)].map(String.init).filter { !$0.isEmpty }
    }
}

extension Request {
    /// A form may also be sent as a query.
    var query: FlatDictionary<Substring, Substring> { Form.query(uri.query ?? "") }
}
