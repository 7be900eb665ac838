import Semel
import SemelKubernetes

struct MessageView {
    enum BodyView: String, CaseIterable {
        case text, json, hex

        var label: String {
            switch self {
            case .text: "Text"
            case .json: "JSON"
            case .hex: "Hex"
            }
        }
    }

    struct Header {
        let name: String
        let value: String
    }

    struct Link {
        let label: String
        let address: String
        let isCurrent: Bool
    }

    let slug: String
    let id: String
    let reason: String
    let attempts: String
    let exit: String?
    let worker: String?
    let time: String?
    let contentType: String?
    let hasOutput: Bool
    let output: String
    let hasHeaders: Bool
    let headers: [Header]
    let views: [Link]
    let download: String
    let bodyNote: String
    let hasBody: Bool
    let body: String
    let mayChange: Bool
    let formToken: String

    init(
        _ queue: ConsoleQueue, _ stored: StoredDeadLetter, view: BodyView?, mayChange: Bool, formToken: String
    ) {
        let letter = stored.letter
        (slug, id, reason, attempts) = (queue.slug, stored.messageID, letter.reason, "\(letter.attempts)")
        exit = letter.exit.map { "\($0)" }
        worker = letter.worker.isEmpty ? nil : letter.worker
        time = letter.time.isEmpty ? nil : MomentText.of(letter.time)
        contentType = stored.contentType
        hasOutput = !letter.output.isEmpty
        output = letter.output.joined(separator: "\n")
        headers = stored.headers.sorted { $0.key < $1.key }.map { Header(name: $0.key, value: JSONLine.of($0.value)) }
        hasHeaders = !headers.isEmpty
        let preview = BodyPreview(stored.body, view)
        views = BodyView.allCases.map {
            Link(
                label: $0.label, address: Self.address(queue.slug, stored.messageID, $0), isCurrent: $0 == preview.view)
        }
        download = "/api/dead/body" + URLText.query([("queue", queue.slug), ("id", stored.messageID)])
        (bodyNote, hasBody, body) = (preview.note, !preview.text.isEmpty, preview.text)
        // One without an id can only be meant together with all others.
        (self.mayChange, self.formToken) = (mayChange && !stored.messageID.isEmpty, formToken)
    }

    static func address(_ slug: String, _ id: String, _ view: BodyView? = nil) -> String {
        "/queues/\(slug)/message"
            + URLText.query([("id", id)] + (view.map { [("view", $0.rawValue)] } ?? []))
    }
}
