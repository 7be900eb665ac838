/// The page at `/`: complete in itself, no assets, live by asking `/status` again. Everything that comes from outside
/// is put in as text, never as markup.
enum StatusPageHTML {
    static let securityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    static let text = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>semel</title>
        <style>
        :root { color-scheme: light dark; --ink: #1c2126; --soft: #5b6670; --line: #d8dee4; --paper: #fff; --back: #f4f6f8;
                --idle: #5b6670; --run: #0b62c4; --good: #18794e; --bad: #c62a2f; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --soft: #9aa6b2; --line: #333b44; --paper: #1a1f25;
                --back: #12161a; --idle: #9aa6b2; --run: #6cb0ff; --good: #5bd19a; --bad: #ff8a8a; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
        header { display: flex; align-items: baseline; gap: .75rem; flex-wrap: wrap; }
        h1 { font-size: 1.1rem; font-weight: 600; margin: 0; letter-spacing: .02em; }
        #state { font-weight: 700; padding: .1rem .6rem; border-radius: 1rem; border: 1.5px solid currentColor; color: var(--idle); }
        #state[data-state="ING"] { color: var(--run); } #state[data-state="COMPLETED"] { color: var(--good); }
        #state[data-state="FAILED"] { color: var(--bad); }
        #queue { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; margin-left: auto; }
        section { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.2rem; margin-top: 1rem; }
        progress { width: 100%; height: .8rem; accent-color: var(--run); }
        .row { display: flex; justify-content: space-between; gap: 1rem; color: var(--soft); font-size: .9rem; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; }
        dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        pre { margin: 0; font: .82rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 28rem; overflow: auto; }
        h2 { font-size: .9rem; font-weight: 600; margin: 0 0 .5rem; color: var(--soft); }
        #stale { color: var(--bad); font-size: .9rem; min-height: 1.5em; }
        </style>
        </head>
        <body>
        <main>
        <header><h1>semel</h1><span id="state" role="status" aria-live="polite">…</span><span id="queue"></span></header>
        <section aria-label="Progress">
        <progress id="bar" max="1" value="0" aria-label="Progress of the task"></progress>
        <div class="row"><span id="note">waiting for a message</span><span id="percent"></span></div>
        </section>
        <section aria-label="Message"><dl id="facts"></dl></section>
        <section><h2>Last output</h2><pre id="output" tabindex="0" aria-label="Last lines of the task's output"></pre></section>
        <p id="stale" role="alert"></p>
        <noscript><p>This page needs JavaScript to stay current; <a href="/status">/status</a> has the same as JSON.</p></noscript>
        </main>
        <script>
        const at = id => document.getElementById(id);
        const span = s => s < 60 ? s.toFixed(1) + " s" : s < 3600 ? Math.floor(s / 60) + " min " + Math.floor(s % 60) + " s"
          : Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
        function show(s) {
          at("state").textContent = s.state; at("state").dataset.state = s.state; at("queue").textContent = s.queue;
          document.title = s.state + " – semel";
          const known = s.progress !== undefined;
          if (known) at("bar").value = s.progress; else if (s.state === "ING") at("bar").removeAttribute("value"); else at("bar").value = 0;
          at("percent").textContent = known ? Math.round(s.progress * 100) + " %" : "";
          at("note").textContent = s.note || s.reason || (s.messageId ? "" : "waiting for a message");
          const facts = { "Message": s.messageId, "Attempt": s.attempt && s.attempt + " of " + s.maxAttempts,
            "Elapsed": s.messageId ? span(s.seconds) : undefined, "Waited": span(s.waitSeconds), "Deadline": s.deadline,
            "Claim": s.claimLost ? "lost: " + s.claimLost : undefined, "Outcome": s.outcome, "Reason": s.reason, "Version": s.version };
          at("facts").replaceChildren(...Object.entries(facts).filter(([, v]) => v !== undefined && v !== "").flatMap(([k, v]) => {
            const dt = document.createElement("dt"), dd = document.createElement("dd"); dt.textContent = k; dd.textContent = v; return [dt, dd]; }));
          const pre = at("output"), end = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 8;
          pre.textContent = s.output.join("\n") || "nothing yet"; if (end) pre.scrollTop = pre.scrollHeight;
        }
        async function look() {
          try { show(await (await fetch("/status", { cache: "no-store" })).json()); at("stale").textContent = ""; }
          catch { at("stale").textContent = "The worker does not answer any more; this is what it said last."; }
          setTimeout(look, 1000);
        }
        look();
        </script>
        </body>
        </html>
        """#
}
