import Semel

/// The queue that a worker takes from.
struct WorkerQueue: Sendable {
    let kind: QueueFacts.Kind
    let name: String
    let position: Position
    var place = QueuePlace()
}

extension WorkerSettings {
    /// `nil` when it is known in the cluster only.
    var queue: WorkerQueue? {
        if let url = text("SEMEL_QUEUE") { return queue(of: url) }
        guard environment["SEMEL_QUEUE"] == nil else { return nil }
        let isRedis = text("REDIS_HOST") != nil || isHidden("REDIS_HOST")
        if text("MQ_HOST") != nil || isHidden("MQ_HOST"), let name = text("MQ_QUEUE") {
            return WorkerQueue(
                kind: .rabbitMQ, name: name, position: place("MQ_QUEUE"),
                place: QueuePlace(
                    virtualHost: text("MQ_VHOST", default: "/"), server: server("MQ_HOST", "MQ_PORT", 5672),
                    isEncrypted: false))
        }
        if isRedis, let name = text("REDIS_LIST") {
            return WorkerQueue(kind: .redisList, name: name, position: place("REDIS_LIST"), place: redisPlace)
        }
        if isRedis, let name = text("REDIS_STREAM") {
            var place = redisPlace
            place.group = text("REDIS_GROUP", default: "semel")
            return WorkerQueue(kind: .redisStream, name: name, position: self.place("REDIS_STREAM"), place: place)
        }
        return text("SQS_QUEUE_URL").flatMap { sqsQueue(of: $0, region: nil, place("SQS_QUEUE_URL")) }
    }

    private var redisPlace: QueuePlace {
        QueuePlace(
            database: text("REDIS_DATABASE", default: "0").flatMap { Int($0) }.map { "\($0)" },
            server: server("REDIS_HOST", "REDIS_PORT", 6379), isEncrypted: false)
    }

    private func server(_ host: String, _ port: String, _ usual: Int) -> String? {
        guard let host = text(host), let port = text(port, default: "\(usual)"), let port = Int(port) else {
            return nil
        }
        return QueuePlace.server(host, port)
    }

    private func queue(of text: String) -> WorkerQueue? {
        guard let url = try? QueueURL(text, source: "SEMEL_QUEUE") else { return nil }
        let position = place("SEMEL_QUEUE")
        func queue(_ kind: QueueFacts.Kind, _ option: String, _ place: QueuePlace) -> WorkerQueue? {
            url.options[option].map { WorkerQueue(kind: kind, name: $0, position: position, place: place) }
        }
        switch url.scheme {
        case "amqp", "amqps": return queue(.rabbitMQ, "queue", QueuePlace(amqp: url))
        case "redis", "rediss", "redis+sentinel", "rediss+sentinel":
            var place = QueuePlace(redis: url)
            if let list = queue(.redisList, "list", place) { return list }
            place.group = url.options["group"] ?? "semel"
            return queue(.redisStream, "stream", place)
        case "sqs":
            return sqsQueue(
                of: url.options["url"] ?? url.path, region: url.hosts.first?.name ?? url.options["region"], position)
        default: return nil
        }
    }

    private func sqsQueue(of text: String, region: String?, _ position: Position) -> WorkerQueue? {
        guard let name = text.split(separator: "/").last else { return nil }
        let isGiven = ["AWS_REGION", "AWS_DEFAULT_REGION"].compactMap { self.text($0) }.first
        let region = QueuePlace.region(in: text) ?? region ?? isGiven
        return WorkerQueue(
            kind: .sqs, name: String(name), position: position, place: QueuePlace(region: region))
    }
}
