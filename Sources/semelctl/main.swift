import Glibc

// `main` stays synchronous, so that the first thread can wait for signals while the command runs.
StandardStreams.open()
let signals = SignalSet.block()
Task { exit(await Semelctl.runToEnd()) }
signals.deliverForEver()
