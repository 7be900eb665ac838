import Semel

enum Help {
    static func print() {
        Swift.print(text)
    }

    private static var text: String {
        let width = 34
        let settings = Setting.all.map { setting in
            let head = "  \(setting.flag) \(setting.placeholder)"
            let standard = setting.standard.map { " [\($0)]" } ?? ""
            let gap =
                head.count < width
                ? String(repeating: " ", count: width - head.count) : "\n" + String(repeating: " ", count: width)
            return head + gap + setting.help + standard
        }
        let codes = Dictionary(grouping: Outcome.allCases, by: \.exitCode).sorted { $0.key < $1.key }.map {
            code, outcomes in
            "  \(code)\(String(repeating: " ", count: 5 - String(code).count))\(outcomes.map(\.meaning).joined(separator: "; or "))"
        }
        return """
            semel \(Version.current): claims one message, runs one command on it, settles it, and exits.

            semel [run] [flags] -- COMMAND [ARG…]   the worker
            semel progress FRACTION [NOTE…]         called by a task: shows how far it is
            semel status [URL]                      asks a running worker [http://127.0.0.1:8082]
            semel install PATH                      copies this executable, for an init container

            Each flag has a variable: --retry-delay is SEMEL_RETRY_DELAY. Flags win. The command may come from
            SEMEL_COMMAND, a JSON array. MQ_HOST with MQ_QUEUE, REDIS_HOST with REDIS_LIST or REDIS_STREAM
            (REDIS_GROUP), and SQS_QUEUE_URL name a queue, too.

            \(settings.joined(separator: "\n"))

            The task gets the body on its standard input. It succeeds with exit status 0, rejects the message for
            good with 65, and fails with any other.

            Exit codes:
            \(codes.joined(separator: "\n"))
            """
    }
}
