/// What the API server says of a request that it did not carry out: an object of the kind `Status`.
public struct KubernetesStatus: Sendable, Hashable {
    public struct Cause: Sendable, Hashable {
        /// `FieldValueInvalid`, `FieldManagerConflict`
        public let reason: String
        public let message: String
        /// `spec.schedule`
        public let field: String
    }

    /// Of HTTP.
    public let code: Int
    /// `NotFound`, `Conflict`; empty when something before the API server answered.
    public let reason: String
    public let message: String
    public let causes: [Cause]
    /// How long to wait before the next try.
    public let retryAfter: Duration?
    /// A list that has become too old can be gone on with from here.
    public let continuation: String?

    public init(json: JSONValue, code: Int? = nil, retryAfter: Duration? = nil) {
        self.code = code ?? json["code"]?.integer.map { Int(clamping: $0) } ?? 0
        reason = json["reason"]?.string ?? ""
        message = json["message"]?.string ?? ""
        causes = (json["details", "causes"]?.array ?? []).map { cause in
            Cause(
                reason: cause["reason"]?.string ?? "", message: cause["message"]?.string ?? "",
                field: cause["field"]?.string ?? "")
        }
        // The header is what intermediaries set, too; the body's number is the same for the API server.
        self.retryAfter =
            retryAfter
            ?? json["details", "retryAfterSeconds"]?.integer.flatMap { $0 > 0 ? .seconds(min($0, 86_400)) : nil }
        continuation = json["metadata", "continue"]?.string
    }

    /// Of an answer that need not be a `Status`: a proxy may have sent it.
    init(code: Int, body: [UInt8], retryAfter: Duration?) {
        if let json = try? JSONValue(parsing: body), json["kind"]?.string == "Status" {
            self.init(json: json, code: code, retryAfter: retryAfter)
            return
        }
        let words = String(decoding: body.prefix(200), as: UTF8.self)
        let line = words.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        // A page of HTML says nothing to a person.
        let message = line.hasPrefix("<") ? "" : line
        self.init(json: ["message": .string(message)], code: code, retryAfter: retryAfter)
    }
}
