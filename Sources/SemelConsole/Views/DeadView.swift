import Semel
import SemelKubernetes

struct QueueLink {
    let slug: String
    let isCurrent: Bool
}

struct DeadView {
    struct Letter {
        let id: String
        let shownID: String
        let isChoosable: Bool
        let address: String
        let time: String
        let reason: String
        let attempts: String
        let exit: String
        let worker: String
        let size: String

        init(_ letter: DeadLetterShelf.Letter, _ slug: String) {
            let stored = letter.stored
            id = stored.messageID
            isChoosable = !id.isEmpty
            shownID = id.isEmpty ? "without id" : id
            address = MessageView.address(slug, id)
            time = stored.letter.time.isEmpty ? "–" : MomentText.of(stored.letter.time)
            reason = stored.letter.reason
            attempts = "\(stored.letter.attempts)"
            exit = stored.letter.exit.map { "\($0)" } ?? "–"
            worker = stored.letter.worker.isEmpty ? "–" : stored.letter.worker
            size = HumanText.bytes(letter.bytes)
        }
    }

    let slug: String
    let isSeveral: Bool
    let queues: [QueueLink]
    let filter: String?
    let problem: String?
    let isLoading: Bool
    let isEmpty: Bool
    /// How many were looked at, where these are not all.
    let looked: String?
    let hasLetters: Bool
    let summary: String
    let total: String
    let letters: [Letter]
    let mayChange: Bool
    let formToken: String
    let pager: PagerView?

    init(
        _ queue: ConsoleQueue, among queues: [ConsoleQueue], _ shelf: DeadLetterShelf?, reason: String?, page: String?,
        mayChange: Bool, formToken: String
    ) {
        slug = queue.slug
        isSeveral = queues.count > 1
        self.queues = queues.map { QueueLink(slug: $0.slug, isCurrent: $0.slug == queue.slug) }
        (filter, self.mayChange, self.formToken) = (reason, mayChange, formToken)
        problem = shelf?.problem
        let selection = DeadLetterSelection(reason: reason)
        let found = (shelf?.letters ?? []).filter { selection.contains($0.stored) }
        let paging = Paging(page, of: found.count)
        letters = found[paging.range].map { Letter($0, queue.slug) }
        hasLetters = !found.isEmpty
        isLoading = found.isEmpty && problem == nil && shelf?.isGrowing != false
        isEmpty = found.isEmpty && problem == nil && !isLoading
        looked = shelf.flatMap { $0.isGrowing || $0.hasMore ? "\($0.letters.count)" : nil }
        total = shelf?.isGrowing == true || shelf?.hasMore == true ? "" : "\(found.count)"
        summary = Self.summary(found.count, shelf, reason)
        pager = PagerView(paging, "/queues/\(queue.slug)/dead", reason.map { [("reason", $0)] } ?? [])
    }

    private static func summary(_ count: Int, _ shelf: DeadLetterShelf?, _ reason: String?) -> String {
        let filtered = reason == nil ? "" : " with that reason"
        var text = "\(HumanText.messages(count))\(filtered), oldest first"
        if let shelf {
            if shelf.isGrowing { text += "; more are being read" }
            if shelf.hasMore { text += ", of the first \(shelf.letters.count)" }
            text += ". Seen \(MomentText.of(shelf.time))."
        }
        return text
    }
}

struct ConfirmView {
    let question: String
    let action: String
    let button: String
    let buttonClass: String
    let slug: String
    let filter: String?
    let isAll: Bool
    let ids: [String]
    let back: String
    let formToken: String

    /// - Parameter seen: How many of them there were a moment ago.
    init(_ change: DeadChange, _ queue: ConsoleQueue, seen: Int?, formToken: String) {
        let isDrop = change.action == .drop
        let verb = isDrop ? "Drop" : "Retry"
        let which: String
        if let ids = change.selection.ids {
            which = ids.count == 1 ? "message ‘\(ids.first ?? "")’" : HumanText.messages(ids.count)
        } else if let reason = change.selection.reason {
            which = "all messages with ‘\(reason)’ in their reason"
        } else {
            which = "all dead letters"
        }
        // Several may have the same id.
        let number = seen.map { $0 == change.selection.ids?.count ? "" : " (\($0) were seen)" } ?? ""
        let consequence = isDrop ? " They are gone for good then." : " Each begins with its first attempt."
        question = "\(verb) \(which) of \(queue.slug)\(number)?" + consequence
        action = isDrop ? "/dead/drop" : "/dead/retry"
        button = isDrop ? "Drop for good" : "Retry"
        buttonClass = isDrop ? "danger" : "main"
        slug = queue.slug
        filter = change.selection.reason
        isAll = change.selection.ids == nil
        ids = change.selection.ids?.sorted() ?? []
        back = "/queues/\(queue.slug)/dead" + URLText.query(filter.map { [("reason", $0)] } ?? [])
        self.formToken = formToken
    }
}
