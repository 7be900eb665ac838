extension Rule {
    static let awsAccessKeyID = Rule(
        id: "aws-access-key-id",
        name: "AWSAccessKeyID",
        summary: "AWS access key id",
        help: "Deactivate the key in IAM and look for its secret near by; prefer roles, which need no stored key.",
        level: .warning,
        forms: (["AKIA", "ASIA", "ABIA", "ACCA"] as [StaticString]).map { prefix in
            TokenForm(prefix: prefix, body: .base32, lengths: 16...16)
        })

    static let gitHubToken = Rule(
        id: "github-token",
        name: "GitHubToken",
        summary: "GitHub access token",
        help: "Revoke the token in GitHub's developer settings; use a GitHub App or the workflow's own token instead.",
        forms: (["ghp_", "gho_", "ghu_", "ghs_", "ghr_"] as [StaticString]).map { prefix in
            TokenForm(prefix: prefix, body: .alphanumerics, lengths: 36...255)
        } + [TokenForm(prefix: "github_pat_", body: .identifiers, lengths: 60...255)])

    static let gitLabToken = Rule(
        id: "gitlab-token",
        name: "GitLabToken",
        summary: "GitLab personal access token",
        help: "Revoke the token in GitLab (User settings, Access tokens); give jobs a CI job token instead.",
        forms: [TokenForm(prefix: "glpat-", body: .base64URL.union("."), lengths: 20...300)])

    static let stripeLiveKey = Rule(
        id: "stripe-live-key",
        name: "StripeLiveKey",
        summary: "Stripe live secret or restricted key",
        help: "Roll the key in the Stripe dashboard and check the request log; use test keys outside production.",
        forms: (["sk_live_", "rk_live_"] as [StaticString]).map { prefix in
            TokenForm(prefix: prefix, body: .alphanumerics, lengths: 20...250)
        })

    static let googleAPIKey = Rule(
        id: "google-api-key",
        name: "GoogleAPIKey",
        summary: "Google API key",
        help: "Delete the key in the Cloud console, or restrict it to an API and a referrer if it has to be public.",
        level: .warning,
        forms: [TokenForm(prefix: "AIza", body: .base64URL, lengths: 35...35, boundary: .base64URL)])

    static let npmToken = Rule(
        id: "npm-token",
        name: "NpmToken",
        summary: "npm access token",
        help: "Revoke it with `npm token revoke` and check what was published; use trusted publishing from CI.",
        forms: [TokenForm(prefix: "npm_", body: .alphanumerics, lengths: 36...36)])

    static let pyPIToken = Rule(
        id: "pypi-token",
        name: "PyPIToken",
        summary: "PyPI upload token",
        help: "Revoke it in the PyPI account settings and check what was uploaded; use trusted publishing from CI.",
        // Every token is a macaroon whose first bytes, version and location, come out as these letters.
        forms: [TokenForm(prefix: "pypi-AgE", body: .base64URL, lengths: 60...1000, boundary: .base64URL)])

    static let slackToken = Rule(
        id: "slack-token",
        name: "SlackToken",
        summary: "Slack token",
        help: "Revoke the token (auth.revoke) or rotate it in the app's settings.",
        forms: (["xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "xoxe.xoxp-", "xoxe.xoxb-"]
            as [StaticString]).map { prefix in
                TokenForm(prefix: prefix, body: .alphanumerics.union("-"), lengths: 24...300)
            })

    static let slackWebhook = Rule(
        id: "slack-webhook",
        name: "SlackWebhook",
        summary: "Slack webhook address",
        help: "Whoever knows the address can post: remove the webhook in the app's settings and make a new one.",
        keywords: ["hooks.slack.com/"]
    ) { text, keyword in
        let address = text.endOfRun(of: .identifiers.union("/-"), from: keyword.upperBound, limit: 200)
        let components = text.slice(keyword.upperBound..<address).split(separator: Ascii.slash)
        guard components.count >= 4, let secret = components.last,
            ["services", "workflows", "triggers"].contains(String(decoding: components[0], as: UTF8.self)),
            secret.count >= 16, Randomness.entropy(of: secret) >= 3, !Placeholder.isPlaceholder(secret)
        else { return nil }
        return Match(secret: secret.startIndex..<secret.endIndex)
    }
}
