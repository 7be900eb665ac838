extension Browser {
    /// A command of Chromium's own, beyond the standard.
    private func chromium(_ command: String, _ parameters: WireValue) async throws {
        try await driver.tell("/goog/cdp/execute", ["cmd": .string(command), "params": parameters])
    }

    /// Makes the page this large; a phone also obeys its `viewport`.
    public func take(_ shape: Shape) async throws {
        try await chromium(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .int(shape.width), "height": .int(shape.height), "deviceScaleFactor": 1,
                "mobile": .bool(shape.isPhone),
            ])
        try await chromium("Emulation.setTouchEmulationEnabled", ["enabled": .bool(shape.isPhone)])
    }

    /// Says what the user prefers, such as `dark` for `prefers-color-scheme`.
    public func prefer(_ preferences: [String: String]) async throws {
        let features = preferences.map { WireValue.object(["name": .string($0.key), "value": .string($0.value)]) }
        try await chromium("Emulation.setEmulatedMedia", ["features": .array(features)])
    }

    /// Turns the scripts of pages that are opened from now on off, and on again. Those of `run` work all the same.
    public func allowScripts(_ allowed: Bool) async throws {
        try await chromium("Emulation.setScriptExecutionDisabled", ["value": .bool(!allowed)])
    }
}
