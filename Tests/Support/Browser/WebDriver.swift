import Foundation

/// The W3C WebDriver protocol with one driver: commands and answers in JSON, over HTTP.
struct WebDriver: Sendable {
    let port: Int
    /// Before every command's own path: `/session/ID` once there is a session.
    var base = ""

    /// Longer than the driver itself waits for a page or a script.
    private static let patience = Duration.seconds(90)

    private struct Answer<Value: Decodable>: Decodable {
        let value: Value
    }

    /// A command that has an answer. One with a body is a POST.
    func ask<Value: Decodable & Sendable>(
        _ path: String, _ body: WireValue? = nil, method: String? = nil
    ) async throws -> Value {
        let response = try await send(path, body, method)
        return try JSONDecoder().decode(Answer<Value>.self, from: Data(response.body)).value
    }

    /// A command that has none.
    func tell(_ path: String, _ body: WireValue? = [:], method: String? = nil) async throws {
        _ = try await send(path, body, method)
    }

    private func send(_ path: String, _ body: WireValue?, _ method: String?) async throws -> HTTP.Response {
        let method = method ?? (body == nil ? "GET" : "POST")
        let bytes = method == "POST" ? Array(try JSONEncoder().encode(body ?? [:])) : []
        let response = try await HTTP.request(
            method, port: port, path: base + path, headers: ["Content-Type": "application/json"], body: bytes,
            timeout: Self.patience)
        guard response.status == 200 else {
            throw (try? JSONDecoder().decode(Answer<WebDriverError>.self, from: Data(response.body)).value)
                ?? WebDriverError(error: "\(response.status)", message: response.text)
        }
        return response
    }
}

/// What the driver refuses, by the name that the standard has for it.
public struct WebDriverError: Error, Decodable, CustomStringConvertible, Sendable {
    /// Such as `no such element` or `stale element reference`.
    public let error: String
    /// One line or several, the rest of which are of the driver's own build.
    public let message: String

    public var description: String {
        "\(error): \(message.split(separator: "\n").first ?? "")"
    }

    /// Whether the page just changed under the question, so that it may be asked again.
    var isOfAPageThatChanged: Bool {
        ["no such element", "stale element reference", "element not interactable", "element click intercepted"]
            .contains(error)
    }
}

/// What is sent to the driver: an argument of a script, a command's body.
public enum WireValue: Sendable, Encodable {
    case null
    case bool(Bool)
    case int(Int)
    case string(String)
    case array([WireValue])
    case object([String: WireValue])

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}

extension WireValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: WireValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, WireValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
