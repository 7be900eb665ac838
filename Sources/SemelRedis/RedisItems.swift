public import NIOCore
public import Semel

/// Many things that stand in Redis, under one key: `redis://host:6379/0?set=accounts`, `…?list=accounts`, or
/// `…?stream=accounts&field=id`.
public struct RedisItemsAddress: Sendable {
    fileprivate enum Form: String {
        case set, list, stream
    }

    fileprivate let servers: RedisServers
    fileprivate let form: Form
    fileprivate let key: String
    fileprivate let field: String
    fileprivate let source: String
    /// The URL without credentials.
    public let name: String

    public init(_ url: QueueURL) throws(ConfigurationError) {
        let scheme = try RedisScheme(url, keys: "set=name", "list=name", "stream=name&field=name")
        servers = try RedisServers(url, scheme, options: ["set", "list", "stream", "field"])
        let named = [Form.set, .list, .stream].filter { url.options[$0.rawValue] != nil }
        guard named.count == 1, let form = named.first, let key = url.options[form.rawValue] else {
            let problem = named.isEmpty ? "names no set, list or stream" : "names several keys"
            throw ConfigurationError("\(url.source): \(problem); write \(scheme.example)")
        }
        guard form == .stream || url.options["field"] == nil else {
            throw ConfigurationError("\(url.source): option ‘field’ is for a stream; a \(form.rawValue) has none")
        }
        self.form = form
        self.key = key
        field = url.options["field"] ?? RedisStream.usualField
        source = url.source
        name = url.redacted
    }
}

/// Reads all elements of a set, a list or a stream, a page at a time. Serves one caller.
///
/// What comes or goes meanwhile may be among them or not. All others are: of a set and of a stream in any case, of a list
/// if nothing is taken off its head, since pages are counted from there. A set's may come more than once.
public actor RedisItems {
    private let address: RedisItemsAddress
    private let group: any EventLoopGroup
    private var connection: RedisConnection?
    /// The set's cursor, the list's index or the stream's id to go on with; `nil` at the end.
    private var next: String?

    private static let pageSize = 5_000

    public init(_ address: RedisItemsAddress, on group: any EventLoopGroup) {
        self.address = address
        self.group = group
        next = address.form == .stream ? "-" : "0"
    }

    /// A page, which may be empty; `nil` at the end. A key that is not there has no elements.
    public func next() async throws(QueueFailure) -> [[UInt8]]? {
        guard let start = next else { return nil }
        do throws(RedisFailure) {
            return switch address.form {
            case .set: try await setPage(start)
            case .list: try await listPage(start)
            case .stream: try await streamPage(start)
            }
        } catch {
            await close()
            throw error.asQueueFailure(
                of: address.servers, source: address.source, key: address.key, type: address.form.rawValue)
        }
    }

    public func close() async {
        connection?.close()
        connection = nil
    }

    private func setPage(_ cursor: String) async throws(RedisFailure) -> [[UInt8]] {
        let reply = try await ask("SSCAN", RedisArgument(cursor), "COUNT", RedisArgument(Self.pageSize))
        guard reply.count == 2, let cursor = reply[0].text, let elements = reply[1].elements else { throw .outOfTurn }
        next = cursor == "0" ? nil : cursor
        return elements.compactMap(\.bytes)
    }

    private func listPage(_ start: String) async throws(RedisFailure) -> [[UInt8]] {
        let index = Int(start) ?? 0
        let elements = try await ask("LRANGE", RedisArgument(start), RedisArgument(index + Self.pageSize - 1))
        next = elements.count < Self.pageSize ? nil : String(index + Self.pageSize)
        return elements.compactMap(\.bytes)
    }

    private func streamPage(_ start: String) async throws(RedisFailure) -> [[UInt8]] {
        let entries = try await ask("XRANGE", RedisArgument(start), "+", "COUNT", RedisArgument(Self.pageSize))
        var page: [[UInt8]] = []
        for entry in entries {
            guard let parts = entry.elements, parts.count == 2, let id = parts[0].text, let fields = parts[1].elements
            else { throw .outOfTurn }
            page.append(RedisStreamEntry(fields, field: address.field).body)
            next = Self.behind(id)
        }
        if entries.count < Self.pageSize { next = nil }
        return page
    }

    /// The smallest id after this one. (Redis before 6.2 knows no open intervals.)
    private static func behind(_ id: String) -> String? {
        let parts = id.split(separator: "-")
        guard parts.count == 2, let time = UInt64(parts[0]), let number = UInt64(parts[1]) else { return nil }
        return number == .max ? "\(time + 1)-0" : "\(time)-\(number + 1)"
    }

    private func ask(_ command: RedisArgument, _ arguments: RedisArgument...) async throws(RedisFailure)
        -> [RedisValue]
    {
        let reply = try await connected().command([command, RedisArgument(address.key)] + arguments)
        guard let elements = reply.elements else { throw .outOfTurn }
        return elements
    }

    private func connected() async throws(RedisFailure) -> RedisConnection {
        if let connection { return connection }
        let opened = try await RedisConnection.open(address.servers, on: group)
        connection = opened
        return opened
    }
}

extension RedisValue {
    fileprivate var bytes: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }
}
