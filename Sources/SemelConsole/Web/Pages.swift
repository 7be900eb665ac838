import HTTPTypes
import Hummingbird
import HummingbirdCore
import Mustache
import Semel

/// Makes HTML of what is known.
struct Pages: Sendable {
    private let library: MustacheLibrary
    private let isReadOnly: Bool

    init(isReadOnly: Bool) throws {
        self.isReadOnly = isReadOnly
        MustacheContentTypes.register(HTMLText(), named: "SEMEL-HTML")
        var library = MustacheLibrary()
        for (name, bytes) in Assets.templates {
            // A template that is used within another begins anew with the library's own escaping.
            let text = "{{% CONTENT_TYPE: SEMEL-HTML}}" + String(decoding: bytes, as: UTF8.self)
            try library.register(text, named: name)
        }
        self.library = library
    }

    /// What only knows its content.
    func fragment(_ template: String, _ view: Any) -> String {
        library.render(view, withTemplate: template) ?? ""
    }

    func page(
        _ template: String, _ view: Any, title: String, at path: String, _ visitor: Visitor?, notice: String? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let layout = LayoutView(
            title: title, visitor: visitor.map { VisitorView($0, isReadOnly: isReadOnly, path: path) }, notice: notice,
            content: fragment(template, view), version: Version.current)
        return .html(fragment("layout", layout), status: status)
    }

    func error(_ status: HTTPResponse.Status, _ reason: String) -> Response {
        page("error", ["reason": reason], title: status.reasonPhrase, at: "", nil, status: status)
    }
}

/// Escapes what HTML would take for more than text. The library's own way looks at characters, and to it a quotation mark
/// with an accent is another character than a quotation mark; to a browser it is not.
private struct HTMLText: MustacheContentType {
    func escapeText(_ text: String) -> String {
        var escaped: [UInt8] = []
        escaped.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): escaped += "&lt;".utf8
            case UInt8(ascii: ">"): escaped += "&gt;".utf8
            case UInt8(ascii: "&"): escaped += "&amp;".utf8
            case UInt8(ascii: "\""): escaped += "&quot;".utf8
            case UInt8(ascii: "'"): escaped += "&#39;".utf8
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}

private struct LayoutView {
    let title: String
    let visitor: VisitorView?
    let notice: String?
    let content: String
    let version: String
}

private struct VisitorView {
    struct Link {
        let label: String
        let href: String
        let isCurrent: Bool
    }

    let name: String
    let isSignedIn: Bool
    let isReadOnly: Bool
    let formToken: String
    let nav: [Link]

    init(_ visitor: Visitor, isReadOnly: Bool, path: String) {
        (name, isSignedIn, formToken) = (visitor.name, visitor.isSignedIn, visitor.formToken)
        self.isReadOnly = isReadOnly
        let links = [
            ("Overview", "/"), ("Workers", "/workers"), ("Dead letters", "/dead"), ("Enqueue", "/enqueue"),
            ("Decision", "/decision"),
        ]
        nav = links.filter { !isReadOnly || $0.1 != "/enqueue" }.map {
            Link(label: $0.0, href: $0.1, isCurrent: $0.1 == path)
        }
    }
}

/// What is sent as it is, from the executable.
enum Assets {
    static let templates: [(String, [UInt8])] = [
        ("layout", PackageResources.layout_mustache),
        ("overview", PackageResources.overview_mustache),
        ("overview_live", PackageResources.overview_live_mustache),
        ("workers", PackageResources.workers_mustache),
        ("workers_live", PackageResources.workers_live_mustache),
        ("pager", PackageResources.pager_mustache),
        ("dead", PackageResources.dead_mustache),
        ("confirm", PackageResources.confirm_mustache),
        ("message", PackageResources.message_mustache),
        ("enqueue", PackageResources.enqueue_mustache),
        ("decision", PackageResources.decision_mustache),
        ("login", PackageResources.login_mustache),
        ("error", PackageResources.error_mustache),
    ]

    static let files: [(name: String, type: String, bytes: [UInt8])] = [
        ("console.css", "text/css; charset=utf-8", PackageResources.console_css),
        ("console.js", "text/javascript; charset=utf-8", PackageResources.console_js),
        ("icon.svg", "image/svg+xml", PackageResources.icon_svg),
    ]
}
