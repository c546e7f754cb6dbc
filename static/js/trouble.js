// A request that did not come back well: said once and politely, with a way to try again; gone when one comes back.

const AGAIN_MS = 10000;
const box = document.getElementById("trouble");
/** Elements that ask again by themselves (live.js). */
const repeating = new WeakSet();
/** What was asked and not answered: element -> how to ask again, or null for one that does so itself. */
const missed = new Map();
let timer = 0;

/** `element` polls: what it missed comes with its next question. */
export const repeats = (element) => repeating.add(element);

/** Whoever polls listens to this and asks at once. */
export const onAgain = (listener) => document.addEventListener("trouble:again", listener);

function show(kind, logIn = "") {
    const text = box.querySelector("p");
    if (text.textContent !== text.dataset[kind]) {
        text.textContent = text.dataset[kind];
    }
    const link = box.querySelector("a");
    link.hidden = !logIn;
    link.textContent = link.dataset[kind] ?? link.dataset.ended;
    link.href = logIn && `${logIn}${logIn.includes("?") ? "&" : "?"}next=${encodeURIComponent(location.pathname + location.search)}`;
    box.querySelector("button").hidden = Boolean(logIn) || kind === "undone";
    box.hidden = false;
}

function again() {
    clearTimeout(timer);
    document.dispatchEvent(new CustomEvent("trouble:again"));
    for (const [element, question] of [...missed]) {
        if (!element.isConnected) {
            missed.delete(element);
        } else if (question) {
            htmx.ajax("GET", question.path, { source: element, target: question.target }).catch(() => {});
        }
    }
}

function failed(event) {
    const { elt, requestConfig, target, xhr } = event.detail;
    const where = xhr?.status === 401 && xhr.getResponseHeader("Log-In-At");
    if (where) {
        show(xhr.getResponseHeader("Log-In-Why") || "ended", where);
        return;
    }
    if (requestConfig.verb !== "get") {
        show("undone");
        return;
    }
    missed.set(elt, repeating.has(elt) ? null : { path: requestConfig.path, target });
    clearTimeout(timer);
    timer = setTimeout(again, AGAIN_MS);
    show(xhr?.status ? "broken" : "cut");
}

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, failed);
}

document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) {
        missed.delete(event.detail.elt);
        box.hidden ||= missed.size === 0;
    }
});

box.querySelector("button").addEventListener("click", again);
window.addEventListener("online", again);
