// The list: rows change in place, new ones come on top, a change of family is announced.

import { keepLive } from "./live.js";
import "./picks.js";

const rows = document.getElementById("rows");
const announcer = document.getElementById("announcer");
const freshness = document.getElementById("freshness");
const ASKED_AT_ONCE = 150;

const shown = () => [...rows.querySelectorAll(":scope > .row")];

function address() {
    const url = new URL(rows.dataset.live, location.href);
    const watched = shown().slice(0, ASKED_AT_ONCE);
    url.searchParams.set("v", watched.map((row) => `${row.dataset.pk}-${row.dataset.v}`).join(","));
    const numbers = shown().map((row) => Number(row.dataset.pk));
    url.searchParams.set("newest", String(Math.max(Number(rows.dataset.newest), ...numbers)));
    url.searchParams.set("counts", document.getElementById("families").dataset.v);
    return url.pathname + url.search;
}

const familyOf = (row) => row?.querySelector("[data-family]")?.dataset.family;

document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const before = event.detail.target;
    const after = event.detail.fragment.querySelector(".row");
    if (before.matches(".row") && familyOf(before) !== familyOf(after)) {
        const account = after.querySelector("[data-account]").textContent;
        announcer.textContent = `${account}: ${after.querySelector(".chip").textContent.trim()}`;
    }
});

// A name that was taken from the list is a choice, as is an emptied field: neither is typing (inputType tells).
document.querySelector("[name=who]")?.addEventListener("input", (event) => {
    if (!event.inputType || event.inputType === "insertReplacementText") {
        event.target.form.requestSubmit();
    }
});

keepLive({
    element: rows,
    address,
    moving: () => rows.querySelector("[data-active]") !== null,
    told: (reached) => {
        freshness.textContent = reached ? freshness.dataset.now : freshness.dataset.lost;
    },
});
