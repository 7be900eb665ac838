import Testing

@testable import SemelConsole

struct SessionsTests {
    private let sessions = Sessions(.token("0123456789abcdef0123"))

    @Test func onlyTheTokenIsTheToken() {
        #expect(sessions.isToken("0123456789abcdef0123"))
        for other in ["", "0123456789abcdef012", "0123456789abcdef0123 ", "0123456789ABCDEF0123"] {
            #expect(!sessions.isToken(other))
        }
        #expect(!Sessions(.open).isToken(""))
    }

    /// A console that was asleep meanwhile has the same token.
    @Test func aSessionOutlivesTheProcess() throws {
        let session = sessions.new()
        let later = Sessions(.token("0123456789abcdef0123"))
        let known = try #require(later.session(session.text))
        #expect(later.formToken(known, user: "token") == sessions.formToken(session, user: "token"))
    }

    @Test func nothingOfASessionCanBeChanged() {
        let text = sessions.new().text
        for index in text.indices {
            var changed = text
            changed.replaceSubrange(index...index, with: text[index] == "1" ? "2" : "1")
            #expect(sessions.session(changed) == nil, "\(changed)")
        }
        for other in ["", ".", "..", "a.b.c", text + ".", "x." + text] { #expect(sessions.session(other) == nil) }
        #expect(Sessions(.token("another token of 16")).session(text) == nil)
        #expect(Sessions(.open).session(text) == nil)
    }

    @Test func aFormBelongsToItsSessionAndUser() {
        let (one, other) = (sessions.new(), sessions.new())
        let visitor = Visitor(name: "a", formToken: sessions.formToken(one, user: "a"))
        #expect(Sessions.isFormToken(visitor.formToken, of: visitor))
        #expect(!Sessions.isFormToken(sessions.formToken(other, user: "a"), of: visitor))
        #expect(!Sessions.isFormToken(sessions.formToken(one, user: "b"), of: visitor))
        #expect(!Sessions.isFormToken("", of: visitor))
        #expect(!Sessions.isFormToken("", of: Visitor(name: "a", formToken: "")))
    }
}
