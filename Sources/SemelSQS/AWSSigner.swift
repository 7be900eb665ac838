import FoundationEssentials
import Semel

/// Signature Version 4 of a request.
/// Source: AWS, “Create a signed AWS API request” (IAM User Guide).
struct AWSSigner: Sendable {
    let region: String
    /// As it is called in signatures: `sqs`, `sts`.
    let service: String

    /// What of a request is signed.
    struct Request: Sendable {
        var method: String
        /// As it is sent: whatever is percent-encoded there is encoded once more here, as all services but S3 want it.
        var path = "/"
        /// Not encoded.
        var query: [(name: String, value: String)] = []
        /// All are signed; `host` has to be among them.
        var headers: [(name: String, value: String)]
        var body: [UInt8] = []
    }

    /// The headers to add, `Authorization` among them.
    func headers(for request: Request, _ credentials: AWSCredentials, at time: Timestamp) -> [(
        name: String, value: String
    )] {
        let date = Self.date(time)
        var added = [(name: "x-amz-date", value: date)]
        if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }
        var signed = request
        signed.headers += added
        let scope = "\(date.prefix(8))/\(region)/\(service)/aws4_request"
        let (canonical, names) = Self.canonical(signed)
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(Self.hex(SHA256.digest(of: Array(canonical.utf8))))"
        let signature = Self.hex(Self.mac(text, key(credentials, String(date.prefix(8)))))
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        return added + [("authorization", authorization)]
    }

    /// The request as both sides write it, and the names of its signed headers.
    static func canonical(_ request: Request) -> (text: String, headerNames: String) {
        var values: [String: [String]] = [:]
        for (name, value) in request.headers { values[name.lowercased(), default: []].append(collapsed(value)) }
        let names = values.keys.sorted()
        let query = request.query.map { (encoded($0.name), encoded($0.value)) }.sorted { $0 < $1 }
        let lines = [
            request.method,
            request.path.split(separator: "/", omittingEmptySubsequences: false)
                .map { encoded(String($0)) }.joined(separator: "/"),
            query.map { "\($0)=\($1)" }.joined(separator: "&"),
            names.map { "\($0):\((values[$0] ?? []).joined(separator: ","))\n" }.joined(),
            names.joined(separator: ";"), hex(SHA256.digest(of: request.body)),
        ]
        return (lines.joined(separator: "\n"), names.joined(separator: ";"))
    }

    /// Every byte but the unreserved characters of RFC 3986 percent-encoded.
    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Without blanks at the ends, and with one where there were several.
    private static func collapsed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r\n" }.joined(separator: " ")
    }

    private func key(_ credentials: AWSCredentials, _ day: String) -> [UInt8] {
        var key = Array("AWS4\(credentials.secretAccessKey)".utf8)
        for part in [day, region, service, "aws4_request"] { key = Self.mac(part, key) }
        return key
    }

    private static func mac(_ text: String, _ key: [UInt8]) -> [UInt8] {
        SHA256.authenticationCode(of: Array(text.utf8), key: key)
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// `20150830T123600Z`
    static func date(_ time: Timestamp) -> String {
        time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }
}
