import Glibc
import Semel

/// Where the messages of a run come from, a window at a time.
protocol WindowReader: Sendable {
    /// `nil` at the end, or when it was stopped. Of input that comes slowly, a window is what there is so far.
    func next() async -> Result<Window?, CommandFailure>
    /// From any thread; ends a ``next()`` that waits for input.
    func stop()
    /// Once nobody asks any more.
    func close() async
}

/// Reads bodies, a window at a time, on a thread of its own. No more is held than one window and one piece of input.
actor BodyReader: WindowReader {
    private nonisolated let thread: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let template: MessageTemplate
    private let separator: BodySource.Separator?
    private var inputs: ArraySlice<BodySource.Input>
    private var current: InputStream?
    private nonisolated let stopped = OneShot<Void>()

    init(_ source: BodySource, _ template: MessageTemplate) throws(SystemError) {
        self.template = template
        separator = source.separator
        inputs = source.inputs[...]
        thread = try ThreadExecutor("semelctl-input")
    }

    func next() -> Result<Window?, CommandFailure> {
        Result { () throws(CommandFailure) in try fill() }
    }

    nonisolated func stop() {
        stopped.fulfil(())
        thread.interrupt()
    }

    func close() async {
        thread.stop()
    }

    private func fill() throws(CommandFailure) -> Window? {
        var window = Window()
        while !window.isFull, stopped.value == nil, let input = inputs.first {
            if case .argument(let text) = input {
                window.append(template.message(Array(text.utf8)))
                inputs.removeFirst()
                continue
            }
            do throws(SystemError) {
                guard try read(input, into: &window) else { break }
            } catch {
                throw CommandFailure(error)
            }
        }
        return window.messages.isEmpty || stopped.value != nil ? nil : window
    }

    /// Reads a piece. Returns `false` when the window should go as it is, since more is not there yet.
    private func read(_ input: BodySource.Input, into window: inout Window) throws(SystemError) -> Bool {
        let stream = try stream(of: input)
        if stream.isUsedUp {
            // A file's messages wait for nobody; what a pipe will give is not worth waiting for.
            let patience: ContinuousClock.Instant? = window.messages.isEmpty ? nil : .now
            switch thread.wait(for: stream.descriptor, until: patience) {
            case .interrupted: return true
            case .timedOut: return false
            case .readable: break
            }
            guard try stream.readMore() else {
                stream.finish(into: &window, template)
                current = nil
                inputs.removeFirst()
                return true
            }
        }
        stream.take(into: &window, template)
        return true
    }

    private func stream(of input: BodySource.Input) throws(SystemError) -> InputStream {
        if let current { return current }
        let opened: InputStream =
            if case .file(let path) = input { try InputStream(file: path, separator) } else {
                InputStream(standardInput: separator)
            }
        current = opened
        return opened
    }
}
