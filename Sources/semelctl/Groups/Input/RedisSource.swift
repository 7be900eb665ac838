import NIOPosix
import Semel
import SemelRedis

/// The elements of a set, a list or a stream in Redis.
actor RedisSource: ItemSource {
    nonisolated let name: String
    private let items: RedisItems
    private nonisolated let stopped = OneShot<Void>()
    private var count = 0

    init(_ url: String) throws(CommandFailure) {
        let address = try CommandFailure.wrapping { () throws(ConfigurationError) in
            try RedisItemsAddress(QueueURL(url, source: "--input"))
        }
        name = address.name
        items = RedisItems(address, on: .singletonMultiThreadedEventLoopGroup)
    }

    func next() async throws(CommandFailure) -> [UInt8]? {
        while stopped.value == nil {
            let page: [[UInt8]]?
            do throws(QueueFailure) {
                page = try await items.next()
            } catch {
                throw CommandFailure(error)
            }
            guard let page else { return nil }
            var piece: [UInt8] = []
            for key in page {
                count += 1
                // A key's end is a line's.
                if key.contains(where: { [10, 13].contains($0) }) {
                    throw .badData("\(name): element \(count): the key has a line break in it")
                }
                piece += key
                piece.append(10)
            }
            if !piece.isEmpty { return piece }
        }
        return nil
    }

    /// The page that is on its way comes or fails within seconds.
    nonisolated func stop() {
        stopped.fulfil(())
    }

    func close() async {
        await items.close()
    }
}
