/// Passwords. No rule repeats one.
enum SecretRules {
    static let all = [passwordInManifest, passwordNotEncoded]

    static let passwordInManifest = LintRule(
        "SJ080", "password-in-manifest", .error,
        "A password in the ScaledJob, or in a ConfigMap that it takes variables from, instead of a Secret."
    ) { subject in
        let fix =
            "put it into a Secret, for the pod by secretKeyRef and for the trigger by a TriggerAuthentication; and "
            + "change it, for it has been seen"
        var places: [(position: Position, what: String)] = []
        for container in (subject.pod?.containers ?? []) + (subject.pod?.initContainers ?? []) {
            for variable in container.env {
                guard let name = variable.name?.value, case .value(let text) = variable.source,
                    isPassword(text.revealed, named: name)
                else { continue }
                places.append((variable.position, "the variable ‘\(name)’"))
            }
            for word in passwords(in: container.command + container.args) {
                places.append((word.position, "an argument of the container"))
            }
        }
        for trigger in subject.job.triggers {
            for (name, text) in trigger.metadata.entries where isPassword(text.value, named: name) {
                places.append((text.position, "the trigger's ‘\(name)’"))
            }
        }
        let maps = subject.pod?.containers.flatMap(\.envFrom).compactMap(\.configMapName?.value) ?? []
        for name in maps {
            guard let map = subject.manifest.configMap(name, in: subject.job.metadata.namespace?.value) else {
                continue
            }
            for (key, text) in map.values.entries where isPassword(text.value, named: key) {
                places.append((text.position, "the key ‘\(key)’ of ConfigMap ‘\(name)’"))
            }
        }
        return places.map { place in
            LintRemark(
                place.position,
                "\(place.what) holds a password that everybody can read who may read this file or "
                    + "the object", fix: fix)
        }
    }

    private static let words = [
        "password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey",
        "credentials",
    ]

    /// URLs with one, `--password=…`, and what follows `--password`.
    private static func passwords(in words: [Located<String>]) -> [Located<String>] {
        words.indices.filter { index in
            let word = words[index].value
            if hasPasswordInURL(word) { return true }
            if word.hasPrefix("-"), let equals = word.firstIndex(of: "=") {
                return isPassword(String(word[word.index(after: equals)...]), named: String(word[..<equals]))
            }
            guard index > 0, !word.hasPrefix("-") else { return false }
            let flag = words[index - 1].value
            return flag.hasPrefix("--") && !flag.hasPrefix("--no-") && !flag.contains("=") && !flag.contains(" ")
                && isPassword(word, named: flag)
        }.map { words[$0] }
    }

    /// `MAX_TOKEN: "4096"` is a number, `IMAGE_PULL_SECRET: regcred` the name of an object.
    private static func isNumberOrObject(_ text: String, named name: String) -> Bool {
        if name.hasSuffix("token") || name.hasSuffix("secret"), Double(text) != nil { return true }
        return name.hasSuffix("secret") && text.allSatisfy { "a"..."z" ~= $0 || $0 == "-" }
    }

    /// By the end of the name: `MAX_TOKENS` is a number, `PASSWORD_FILE` says where it is, `passwordFromEnv` which
    /// variable has it.
    private static func isPassword(_ text: String, named name: String) -> Bool {
        guard !text.isEmpty else { return false }
        if hasPasswordInURL(text) { return true }
        let name = name.lowercased()
        let plain = name.filter { $0 != "_" && $0 != "-" && $0 != "." }
        guard words.contains(where: { plain.hasSuffix($0) }) || name == "pass" || name.hasSuffix("_pass") else {
            return false
        }
        if isNumberOrObject(text, named: plain) { return false }
        // What is put together from other variables, and a path, is no password.
        return !text.contains("$(") && text.first != "/" && !["true", "false"].contains(text)
    }

    /// `scheme://user:password@host`, somewhere in it.
    private static func hasPasswordInURL(_ text: String) -> Bool {
        userInfos(in: text).contains { info in
            guard let colon = info.firstIndex(of: ":") else { return false }
            let password = info[info.index(after: colon)...]
            return !password.isEmpty && !password.contains("$")
        }
    }

    /// What stands between `://` and the last `@` of each URL in a text.
    private static func userInfos(in text: String) -> [Substring] {
        text.ranges(of: "://").compactMap { scheme in
            let rest = text[scheme.upperBound...].prefix { !$0.isWhitespace && $0 != "\"" && $0 != "'" && $0 != "," }
            return rest.lastIndex(of: "@").map { rest[..<$0] }
        }
    }

    static let passwordNotEncoded = LintRule(
        "SJ081", "password-not-encoded", .error,
        "A RabbitMQ URL whose user or password has special characters that are not percent-encoded."
    ) { subject in
        subject.triggers.compactMap { trigger in
            guard case .rabbitMQ(let rabbit) = trigger.resolved.kind, case .known(let url) = rabbit.host,
                let info = userInfos(in: url.revealed).first, info.contains(where: isSpecial) || hasStrayPercent(info)
            else { return nil }
            return LintRemark(
                trigger.place("host"),
                "the user or the password in the trigger's URL has characters that end it early: KEDA fails to connect in "
                    + "every poll, and makes 0 Jobs",
                fix: "percent-encode them (@ is %40, / is %2F, # is %23), or give username and password as parameters "
                    + "of their own (KEDA 2.16 or later)")
        }
    }

    private static func isSpecial(_ character: Character) -> Bool {
        "/?#[]@\\<>^`{|}".contains(character)
    }

    private static func hasStrayPercent(_ text: Substring) -> Bool {
        text.indices.contains { index in
            guard text[index] == "%" else { return false }
            let digits = text[text.index(after: index)...].prefix(2)
            return digits.count < 2 || !digits.allSatisfy(\.isHexDigit)
        }
    }
}
