"use strict";
// Every few seconds the parts marked data-live are fetched again, unless somebody is busy in one of them.
const PERIOD = 3000;

function replaceWith(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(old.id);
    if (next && !old.contains(document.activeElement) && old.innerHTML !== next.innerHTML) {
      old.replaceChildren(...next.childNodes);
    }
  }
}

async function refresh() {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch("/_sandbox/live");
      if (answer.ok) replaceWith(await answer.text());
    } catch {
      // The sandbox is being restarted: the next round finds it again.
    }
  }
  setTimeout(refresh, PERIOD);
}

setTimeout(refresh, PERIOD);
