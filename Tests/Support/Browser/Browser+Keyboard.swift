/// A key that has no letter, with the number that the standard has given it.
public enum Key: String, Sendable {
    case backspace = "\u{E003}"
    case tab = "\u{E004}"
    case enter = "\u{E007}"
    case shift = "\u{E008}"
    case control = "\u{E009}"
    case escape = "\u{E00C}"
    case space = " "
    case end = "\u{E010}"
    case home = "\u{E011}"
    case left = "\u{E012}"
    case up = "\u{E013}"
    case right = "\u{E014}"
    case down = "\u{E015}"
}

extension Browser {
    /// Presses keys together, the last one to be let go first, wherever the focus is.
    public func press(_ keys: Key...) async throws {
        try await keyboard(
            keys.map { stroke("keyDown", $0.rawValue) } + keys.reversed().map { stroke("keyUp", $0.rawValue) })
    }

    /// Types text wherever the focus is.
    public func type(_ text: String) async throws {
        try await keyboard(text.flatMap { [stroke("keyDown", String($0)), stroke("keyUp", String($0))] })
    }

    private func stroke(_ type: WireValue, _ value: String) -> WireValue { ["type": type, "value": .string(value)] }

    private func keyboard(_ strokes: [WireValue]) async throws {
        try await driver.tell(
            "/actions", ["actions": [["type": "key", "id": "keyboard", "actions": .array(strokes)]]])
    }
}
