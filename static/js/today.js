// Hoy: its changing part comes anew when something changed. What a person unfolded stays unfolded, the focus stays.

import { keepLive } from "./live.js";

const freshness = document.getElementById("freshness");
const announcer = document.getElementById("announcer");
const part = () => document.getElementById("today");
const needs = (element) => Number(element?.querySelector("[data-attention]")?.dataset.attention ?? 0);
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
let asked = Date.now();
let focused = "";

function ago(milliseconds) {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
    return words.format(-Math.floor(seconds / length), unit);
}

function sayTimes() {
    for (const time of document.querySelectorAll("time[data-ago]")) {
        time.textContent = ago(Date.now() - Date.parse(time.dateTime));
    }
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const before = event.detail.target;
    const after = event.detail.fragment.querySelector("#today");
    if (before.id !== "today" || !after) {
        return;
    }
    focused = before.contains(document.activeElement) ? document.activeElement.id : "";
    for (const details of before.querySelectorAll("details[id][open]")) {
        after.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
    }
    if (needs(before) !== needs(after)) {
        const text = needs(after) ? announcer.dataset.more : announcer.dataset.none;
        announcer.textContent = text.replace("{n}", String(needs(after)));
    }
});
document.addEventListener("htmx:oobAfterSwap", () => {
    if (focused) {
        document.getElementById(focused)?.focus({ preventScroll: true });
        focused = "";
    }
    sayTimes();
});

keepLive({
    element: document.getElementById("main"),
    address: () => part().dataset.live,
    headers: () => ({ "If-None-Match": `"${part().dataset.etag}"` }),
    moving: () => part().querySelector(".family.is-working b")?.textContent !== "0",
    told: (reached) => {
        asked = reached ? Date.now() : asked;
        freshness.textContent = reached ? freshness.dataset.now.replace("{ago}", ago(0)) : freshness.dataset.lost;
        freshness.dataset.reached = reached ? "yes" : "";
    },
});
setInterval(() => {
    sayTimes();
    if (freshness.dataset.reached) {
        freshness.textContent = freshness.dataset.now.replace("{ago}", ago(Date.now() - asked));
    }
}, 5000);
sayTimes();
