import Foundation
import Glibc
import Semel
import Testing

@Suite struct MessageBodyTests {
    private static let everyByte = (0..<3).flatMap { _ in (0...255).map { UInt8($0) } }

    @Test(arguments: [0, 1, 256, 768, 1 << 20])
    func keepsEveryByte(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let body = try MessageBody(bytes)
        #expect(body.count == bytes.count)
        #expect(try body.bytes() == bytes)
        #expect(try body.bytes() == bytes)
    }

    @Test func takesWhatIsNotContiguous() throws {
        let body = try MessageBody((0..<1_000).lazy.map { UInt8($0 % 251) })
        #expect(try body.bytes() == (0..<1_000).map { UInt8($0 % 251) })
    }

    @Test func isPutTogetherFromPieces() throws {
        let builder = try MessageBodyBuilder()
        for piece in [Self.everyByte, [], [1], Self.everyByte] { try piece.withUnsafeBytes { try builder.append($0) } }
        let body = try builder.finish()
        #expect(try body.bytes() == Self.everyByte + [1] + Self.everyByte)
    }

    @Test func readersBeginAtTheBeginning() throws {
        let body = try MessageBody("hello".utf8)
        _ = try body.bytes()
        #expect(lseek(body.descriptor, 0, SEEK_CUR) == 0)
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(read(body.descriptor, &buffer, buffer.count) == 5)
        #expect(Array(buffer.prefix(5)) == Array("hello".utf8))
        // What a task has read is not missing from a dead letter.
        #expect(try body.bytes() == Array("hello".utf8))
    }

    @Test func nobodyCanChangeIt() throws {
        let body = try MessageBody("sealed".utf8)
        #expect(write(body.descriptor, "x", 1) == -1)
        #expect(errno == EPERM)
        #expect(pwrite(body.descriptor, "x", 1, 100) == -1)
        #expect(errno == EPERM)
        #expect(ftruncate(body.descriptor, 0) == -1)
        #expect(errno == EPERM)
        #expect(ftruncate(body.descriptor, 1_000) == -1)
        #expect(errno == EPERM)
        #expect(try body.bytes() == Array("sealed".utf8))
    }

    @Test func noOtherChildInheritsIt() throws {
        let body = try MessageBody("x".utf8)
        #expect(fcntl(body.descriptor, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
    }

    @Test func itsDescriptorGoesWithIt() throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        do {
            _ = MessageBody(adopting: ends[1], count: 0)
        }
        // The pipe has no writer any more: that is its end.
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) == 0)
    }

    @Test func aFileThatIsShorterThanSaidIsAnError() throws {
        let body = try MessageBody("four".utf8)
        let longer = MessageBody(adopting: dup(body.descriptor), count: 5)
        #expect(throws: SystemError.self) { try longer.bytes() }
    }
}

@Suite struct MessageTests {
    private func message(_ headers: [String: HeaderValue] = [:], size: Int? = nil) throws -> Message {
        Message(id: "m", body: try MessageBody("four".utf8), size: size, headers: headers, attempt: 1)
    }

    @Test func sizeIsTheBodysUnlessItWasSpared() throws {
        #expect(try message().size == 4)
        #expect(try message(size: 1_000).size == 1_000)
    }

    @Test func traceParents() throws {
        #expect(try message().traceParent == nil)
        #expect(try message(["traceparent": .string("00-a-b-01")]).traceParent == "00-a-b-01")
        #expect(try message(["TraceParent": .string("00-a-b-01")]).traceParent == "00-a-b-01")
        #expect(try message(["traceparent": .integer(1)]).traceParent == nil)
    }

    @Test func idsForMessagesWithoutOne() {
        let ids = (0..<1_000).map { _ in MessageID.random() }
        #expect(Set(ids).count == 1_000)
        #expect(ids.allSatisfy { $0.count == 32 && $0.allSatisfy { $0.isHexDigit && !$0.isUppercase } })
    }

    @Test func headersAsJSON() throws {
        let headers: [String: HeaderValue] = [
            "null": .null, "yes": .bool(true), "no": .bool(false), "one": .integer(1), "least": .integer(.min),
            "half": .double(0.5), "text": .string("a\"b\n"), "list": .array([.integer(1), .string("x"), .null]),
            "table": .table(["inner": .array([])]),
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(headers)
        #expect(
            String(decoding: data, as: UTF8.self)
                == #"{"half":0.5,"least":-9223372036854775808,"list":[1,"x",null],"no":false,"null":null,"one":1,"#
                + #""table":{"inner":[]},"text":"a\"b\n","yes":true}"#)
        #expect(try JSONDecoder().decode([String: HeaderValue].self, from: data) == headers)
    }

    @Test func numbersThatJSONHasNoWordFor() throws {
        let data = try JSONEncoder().encode([HeaderValue.double(.nan), .double(.infinity), .double(-.infinity)])
        #expect(String(decoding: data, as: UTF8.self) == #"["nan","inf","-inf"]"#)
    }

    @Test func systemErrorsSayWhatWasDone() {
        #expect(SystemError(doing: "open /x", code: EACCES).description == "cannot open /x: Permission denied")
        errno = ENOENT
        #expect(SystemError(doing: "open /x").code == ENOENT)
    }
}
