import FoundationEssentials

/// The message: `{"path": "/srv/uploads/4711"}`. Other fields are ignored, so that producers can add some.
struct ScanRequest: Decodable, Equatable {
    let path: String

    /// - Throws: `MessageError` with one line for the log.
    init(message: [UInt8]) throws {
        do {
            self = try JSONDecoder().decode(ScanRequest.self, from: Data(message))
        } catch {
            throw MessageError("the message is not JSON of the form {\"path\": \"…\"}")
        }
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw MessageError("the message names no path")
        }
    }

    init(path: String) {
        self.path = path
    }
}

/// Why a message can never work, however often it is tried.
struct MessageError: Error, CustomStringConvertible, Equatable {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
