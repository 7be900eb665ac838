"use strict";
// Live parts are HTML that the console renders; the connection is given up while nobody looks, so that the console can sleep.
for (const part of document.querySelectorAll("[data-live]")) {
  const stale = document.getElementById("stale");
  let source = null;
  const show = (html) => {
    const open = [...part.querySelectorAll("details[open]")].map((details) => details.id);
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.innerHTML = html;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  const start = () => {
    source = new EventSource(part.dataset.live);
    source.onmessage = (event) => { stale.hidden = true; show(event.data); };
    source.onerror = () => {
      stale.hidden = false;
      if (source && source.readyState === EventSource.CLOSED) { stop(); setTimeout(resume, 3000); }
    };
  };
  const stop = () => { source?.close(); source = null; };
  const resume = () => { if (!document.hidden && !source) start(); };
  document.addEventListener("visibilitychange", () => document.hidden ? stop() : resume());
  resume();
}

for (const hidden of document.querySelectorAll("[data-needs-script], #choose-all")) hidden.hidden = false;
const chooseAll = document.getElementById("choose-all");
chooseAll?.addEventListener("change", () => {
  for (const box of document.querySelectorAll("input[name=id][type=checkbox]")) box.checked = chooseAll.checked;
});

const file = document.getElementById("file");
file?.form.addEventListener("submit", async (event) => {
  if (!file.files.length) return;
  event.preventDefault();
  const form = new FormData(file.form);
  const query = new URLSearchParams({ queue: form.get("queue") });
  for (const name of ["id", "headers"]) if (form.get(name)) query.set(name, form.get(name));
  const told = document.getElementById("sent");
  told.textContent = "Sending …";
  const chosen = file.files[0];
  const headers = { "X-Form-Token": form.get("form") };
  if (form.get("type")) headers["Content-Type"] = form.get("type");
  try {
    const answer = await fetch(`/api/messages?${query}`, {
      method: "POST",
      // Bytes have no media type by themselves, and some queues carry none.
      body: await chosen.arrayBuffer(),
      headers,
    });
    const result = await answer.json();
    told.textContent = answer.ok ? `${chosen.name} is in the queue.` : `Not sent: ${result.error}`;
  } catch {
    told.textContent = "Not sent: the console does not answer.";
  }
});
