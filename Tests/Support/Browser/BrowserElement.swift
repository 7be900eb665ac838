import Foundation

/// An element of the page that a browser shows. When the page has replaced it, every question is refused as stale.
public struct BrowserElement: Sendable {
    private let driver: WebDriver
    private let reference: Reference

    /// How the protocol writes an element: an object with this one name.
    struct Reference: Decodable, Sendable {
        static let name = "element-6066-11e4-a52e-4f735466cecf"
        let id: String

        init(from decoder: any Decoder) throws {
            id = try decoder.singleValueContainer().decode([String: String].self)[Self.name] ?? ""
        }
    }

    init(_ driver: WebDriver, _ reference: Reference) {
        self.driver = driver
        self.reference = reference
    }

    private var path: String { "/element/\(reference.id)" }

    /// The element as a script's argument.
    public var argument: WireValue { .object([Reference.name: .string(reference.id)]) }

    // MARK: What it is

    /// What is to be read of it: nothing of what is hidden.
    public var text: String { get async throws { try await driver.ask(path + "/text") } }

    public var tag: String { get async throws { try await driver.ask(path + "/name") } }

    /// As it is written in the page, or nothing if it is not.
    public func attribute(_ name: String) async throws -> String? {
        try await script("return arguments[0].getAttribute(arguments[1])", .string(name))
    }

    /// What it is now, such as the `value` of a field that somebody has typed into.
    public func property(_ name: String) async throws -> String? {
        try await script("const v = arguments[0][arguments[1]]; return v == null ? null : String(v)", .string(name))
    }

    /// As it comes out of all style sheets.
    public func style(_ property: String) async throws -> String {
        try await driver.ask(path + "/css/\(percentEncoded(property))")
    }

    public var isDisplayed: Bool { get async throws { try await driver.ask(path + "/displayed") } }

    public var isEnabled: Bool { get async throws { try await driver.ask(path + "/enabled") } }

    public var isSelected: Bool { get async throws { try await driver.ask(path + "/selected") } }

    /// What a screen reader calls it.
    public var accessibleName: String { get async throws { try await driver.ask(path + "/computedlabel") } }

    /// As what a screen reader presents it, such as `button`.
    public var accessibleRole: String { get async throws { try await driver.ask(path + "/computedrole") } }

    /// Those of a CSS selector that are inside it now.
    public func findAll(_ css: String) async throws -> [BrowserElement] {
        let found: [Reference] = try await driver.ask(
            path + "/elements", ["using": "css selector", "value": .string(css)])
        return found.map { BrowserElement(driver, $0) }
    }

    private func script<Value: Decodable & Sendable>(_ script: String, _ more: WireValue...) async throws -> Value {
        try await driver.ask("/execute/sync", ["script": .string(script), "args": .array([argument] + more)])
    }

    // MARK: What is done with it

    /// Clicks into its middle, having scrolled there. Refused if something else lies over it.
    public func click() async throws { try await driver.tell(path + "/click") }

    /// Empties a field.
    public func clear() async throws { try await driver.tell(path + "/clear") }

    /// Types into it: behind what is there already. For a file's field, the path of the file.
    public func type(_ text: String) async throws {
        try await driver.tell(path + "/value", ["text": .string(text)])
    }
}
