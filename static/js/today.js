// Hoy: its changing part comes anew when something changed. What a person unfolded stays unfolded, the focus stays.

import { keepLive } from "./live.js";

const freshness = document.getElementById("freshness");
const announcer = document.getElementById("announcer");
const part = () => document.getElementById("today");
/** How many videos need the person; undefined where that part did not come, as it is the same. */
const needs = (element) => element.querySelector("[data-attention]")?.dataset.attention;
/** The marks of the parts that are here: they need not come again. */
const marks = () => [...part().querySelectorAll("[data-part]")].map((one) => one.dataset.part).join("");
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
let asked = Date.now();
let focused = "";
let whole = false;

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
    // A part that is said to be here and is not: nothing is drawn, and all of it comes with the next look.
    whole = [...after.querySelectorAll("[hx-preserve]")].some((place) => !document.getElementById(place.id));
    event.detail.shouldSwap = !whole;
    if (whole) {
        return;
    }
    focused = before.contains(document.activeElement) ? document.activeElement.id : "";
    for (const details of before.querySelectorAll("details[id][open]")) {
        after.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
    }
    const now = needs(after);
    if (now !== undefined && now !== needs(before)) {
        announcer.textContent = (now === "0" ? announcer.dataset.none : announcer.dataset.more).replace("{n}", now);
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
    headers: () => ({ "If-None-Match": `"${part().dataset.etag}"`, "Has-Parts": whole ? "" : marks() }),
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
