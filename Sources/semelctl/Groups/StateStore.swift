import Semel

/// Where a state of groups is kept. Nobody ever sees half a change of it.
protocol StateStore: Sendable {
    /// For messages.
    var name: String { get }
    /// How many bytes the text may have; `nil` when it may be of any size.
    var largestText: Int? { get }
    /// Opens the state for one change; nobody else changes it meanwhile, or this one is refused in the end.
    func begin() async throws(CommandFailure) -> any StateChange
    /// Opens the state for reading: a descriptor, which is the caller's to close; `nil` when there is none.
    func read() async throws(CommandFailure) -> CInt?
}

/// A state while it is changed. Its descriptors are files, read and written by position, until it ends.
protocol StateChange: Sendable {
    /// The text as it is; `nil` when there is none.
    var old: CInt? { get }
    /// Empty at first: what the text is to be.
    var draft: CInt { get }
    /// Empty at first, with no name: for what is neither.
    var scratch: CInt { get }
    /// Makes the draft the state.
    func commit() async throws(CommandFailure)
    /// Leaves the state as it is. Without effect behind ``commit()``.
    func abandon() async
}
