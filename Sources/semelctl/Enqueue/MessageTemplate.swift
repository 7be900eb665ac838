import Semel

/// What all messages of a run have in common.
struct MessageTemplate: Sendable {
    private let id: String?
    private let contentType: String?
    private let headers: [String: String]

    /// - Parameter headers: Each `name=value`.
    init(id: String?, contentType: String?, headers: [String]) throws(CommandFailure) {
        if id == "" { throw .usage("--id: is empty") }
        if contentType == "" { throw .usage("--content-type: is empty") }
        var named: [String: String] = [:]
        for header in headers {
            guard let equals = header.firstIndex(of: "="), equals > header.startIndex else {
                throw .usage("--header: ‘\(header)’ is not of the form name=value")
            }
            let name = String(header[..<equals])
            guard named.updateValue(String(header[header.index(after: equals)...]), forKey: name) == nil else {
                throw .usage("--header: ‘\(name)’ is given twice")
            }
        }
        self.id = id
        self.contentType = contentType
        self.headers = named
    }

    /// - Parameter ownID: Of this message alone.
    func message(_ body: [UInt8], id ownID: String? = nil) -> OutgoingMessage {
        OutgoingMessage(body: body, id: ownID ?? id, contentType: contentType, headers: headers)
    }
}
