/// What is due, earliest first; of two at the same time, that which was scheduled first.
struct EventQueue {
    enum Kind: UInt8 {
        /// A pod runs.
        case running
        /// A worker looks for a message.
        case look
        /// A worker has waited long enough.
        case giveUp
        /// The probe has seen that a worker has claimed.
        case ready
        /// A task is done.
        case done
        /// A task's worker dies.
        case crash
        /// A worker that lingered exits.
        case exit
        /// A Job whose pod failed makes another one.
        case retry
        /// The lease of a worker that died is over.
        case leaseOver
    }

    struct Event {
        let time: Int
        fileprivate let order: UInt64
        /// Of the Job, or of the orphan whose lease this is.
        let slot: Int32
        /// Of the Job's pod. An event of a pod that is gone is none.
        let stamp: UInt32

        var kind: Kind { Kind(rawValue: UInt8(truncatingIfNeeded: order)) ?? .exit }
    }

    private var heap: [Event] = []
    private var scheduled: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var earliest: Int { heap.first?.time ?? .max }

    mutating func add(_ kind: Kind, at time: Int, slot: Int, stamp: UInt32 = 0) {
        scheduled += 1
        let order = scheduled << 8 | UInt64(kind.rawValue)
        let event = Event(time: time, order: order, slot: Int32(truncatingIfNeeded: slot), stamp: stamp)
        heap.append(event)
        var hole = heap.count - 1
        while hole > 0 {
            let parent = (hole - 1) / 2
            guard Self.isEarlier(event, heap[parent]) else { break }
            heap[hole] = heap[parent]
            hole = parent
        }
        heap[hole] = event
    }

    mutating func next() -> Event? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        var hole = 0
        while true {
            var child = 2 * hole + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, Self.isEarlier(heap[child + 1], heap[child]) { child += 1 }
            guard Self.isEarlier(heap[child], last) else { break }
            heap[hole] = heap[child]
            hole = child
        }
        heap[hole] = last
        return first
    }

    private static func isEarlier(_ left: Event, _ right: Event) -> Bool {
        left.time != right.time ? left.time < right.time : left.order < right.order
    }
}
