import TestSupport
import Testing

/// What a page must be like for everybody to be able to read it.
enum Looks {
    /// Texts whose contrast is below what WCAG 2 asks for (AA: 4.5, large text 3), with their ratio. The background is that
    /// of the nearest element behind that has one.
    private static let faint = """
        const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
        const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
        const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
        const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
        const ground = (element) => {
            let layers = [];
            for (let e = element; e; e = e.parentElement) {
                const color = parse(getComputedStyle(e).backgroundColor);
                if (color[3] > 0) layers.push(color);
                if (color[3] === 1) break;
            }
            return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
        };
        const found = [];
        for (const element of document.querySelectorAll("body *")) {
            const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
            const isField = element.matches("input:not([type=hidden]):not([type=checkbox]), textarea, select");
            if (!own && !isField || !element.checkVisibility() || element.matches("noscript, option")) continue;
            const style = getComputedStyle(element);
            const behind = ground(element);
            const front = over(parse(style.color), behind);
            const [high, low] = [light(front), light(behind)].sort((a, b) => b - a);
            const ratio = (high + 0.05) / (low + 0.05);
            const size = parseFloat(style.fontSize);
            const isLarge = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
            if (ratio < (isLarge ? 3 : 4.5)) {
                found.push(`${element.tagName} "${element.textContent.trim().slice(0, 40)}": ${ratio.toFixed(2)}`);
            }
        }
        return found;
        """

    /// Levels are not skipped, and there is one first one.
    private static let headings = """
        const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((h) => Number(h.tagName[1]));
        const isSteady = levels.every((level, i) => i === 0 ? level === 1 : level <= levels[i - 1] + 1);
        return isSteady && levels.filter((level) => level === 1).length === 1;
        """

    static func expectGood(_ browser: Browser, _ page: String) async throws {
        let faint: [String] = try await browser.run(Self.faint)
        #expect(faint == [], "too little contrast on \(page)")
        #expect(try await browser.run(headings) == true, "headings of \(page)")
        #expect(try await browser.run("return document.documentElement.lang") == "en")
        for landmark in ["header", "main"] {
            #expect(try await browser.findAll(landmark).count == 1, "\(landmark) of \(page)")
        }
        let controls =
            "a, button, summary, select, textarea, input:not([type=hidden]), progress, [role=img], [role=region]"
        var nameless: [String] = []
        try await browser.waitUntil("the controls of \(page) hold still") {
            nameless = []
            for control in try await browser.findAll(controls) where try await control.isDisplayed {
                if try await control.accessibleName.isEmpty { nameless.append(try await control.tag) }
            }
            return true
        }
        #expect(nameless == [], "controls without a name on \(page)")
    }

    static func expectNoSidewaysScrolling(_ browser: Browser, _ page: String) async throws {
        let widths: [Int] = try await browser.run("return [document.documentElement.scrollWidth, innerWidth]")
        #expect(widths[0] <= widths[1], "\(page) is \(widths[0]) pixels wide")
    }

    /// What only somebody who reads the browser's console would notice: scripts that failed, content that was refused.
    static func expectNoComplaints(_ browser: Browser, _ page: String) async throws {
        let complaints = try await browser.takeLog().filter { $0.level == "SEVERE" }
        #expect(complaints.map(\.message) == [], "\(page)")
    }
}

/// For live pages, whose elements are replaced from time to time.
extension Browser {
    /// Asks something of the first element of a CSS selector, and once more if it was replaced meanwhile.
    func ask<Answer>(_ css: String, _ question: (BrowserElement) async throws -> Answer) async throws -> Answer {
        var answer: Answer?
        try await waitUntil("\(css) holds still") {
            answer = try await question(find(css))
            return true
        }
        return try #require(answer)
    }

    func read(_ css: String = "body") async throws -> String {
        try await ask(css) { try await $0.text }
    }

    func click(_ css: String) async throws {
        try await ask(css) { try await $0.click() }
    }
}
