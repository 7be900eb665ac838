import Glibc

// `main` stays synchronous, so that the first thread can wait for signals; the command must not need that thread.
StandardStreams.open()
let signals = SignalSet.block()
Task.detached { exit(await Semelctl.runToEnd()) }
signals.deliverForEver()
