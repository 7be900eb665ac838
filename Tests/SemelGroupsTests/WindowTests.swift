import SemelGroups
import Testing

@Suite struct WindowTests {
    @Test func whatIsLeft() throws {
        let window = try #require(Window("00:00-05:00"))
        #expect(window.length == 300 && window.left(at: 0) == 300 && window.left(at: 30) == 270)
        #expect(window.left(at: 299) == 1 && window.left(at: 300) == nil && window.left(at: 1_439) == nil)
    }

    @Test func overMidnight() throws {
        let window = try #require(Window("22:30 - 04:00"))
        #expect(window.length == 330 && window.left(at: 1_350) == 330 && window.left(at: 0) == 240)
        #expect(window.left(at: 240) == nil && window.left(at: 1_349) == nil)
        #expect(window.description == "22:30-04:00")
    }

    @Test func aWholeDay() throws {
        let window = try #require(Window("00:00-24:00"))
        #expect(window.length == 1_440 && window.left(at: 1_439) == 1)
        #expect(window.description == "00:00-24:00")
    }

    @Test(arguments: [
        "", "00:00", "00:00-", "-05:00", "0:00-5:00", "00:00-00:00", "24:00-05:00", "00:00-25:00", "00:60-01:00",
        "00:00-05:00-06:00", "a0:00-05:00", "+1:00-05:00", "00:00-05:00 Uhr", "0 0:00-05:00", "00:00:00-05:00",
    ])
    func isNone(_ text: String) {
        #expect(Window(text) == nil)
    }
}
