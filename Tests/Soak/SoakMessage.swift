/// A message that is known by its number: the body's first line says it, and what the task is to make of it.
struct SoakMessage: Sendable {
    enum Fate: String, Sendable {
        /// Succeeds sooner or later.
        case work
        /// Is rejected sooner or later, and has to end among the dead letters.
        case reject
    }

    let number: Int
    let fate: Fate
    /// How many bytes follow the first line.
    let padding: Int

    /// What the first line has at the most.
    private static let head = 64

    /// - Parameter largest: The largest body that the queue takes.
    init(_ number: Int, _ random: inout SeededRandom, largest: Int) {
        self.number = number
        fate = random.chance(0.02) ? .reject : .work
        let drawn = random.pick([
            (0, 10), (Int.random(in: 1...4_096, using: &random), 75),
            (Int.random(in: 4_097...262_144, using: &random), 13),
            (1 << 20, 2),
        ])
        padding = min(drawn, largest - Self.head)
    }

    var body: [UInt8] {
        Array("\(number) \(padding) \(fate.rawValue)\n".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: padding)
    }

    static func number(of body: [UInt8]) -> Int? {
        Int(String(decoding: body.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    }
}
