// A video's page: the changing part is swapped when it changed; dialogs and players outside of it stay.

import { compareAll } from "./compare.js";
import { keepLive } from "./live.js";

const announcer = document.getElementById("announcer");
const live = () => document.getElementById("live");
const familyOf = (part) => part?.querySelector("[data-family]")?.dataset.family;

document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const before = event.detail.target;
    const after = event.detail.fragment.querySelector("#live");
    if (before.id === "live" && after && familyOf(before) !== familyOf(after)) {
        announcer.textContent = after.querySelector(".chip").textContent.trim();
    }
});

keepLive({
    element: document.getElementById("main"),
    address: () => `${live().dataset.live}?v=${live().dataset.v}`,
    moving: () => live().querySelector("[data-active]") !== null,
});

compareAll();
document.addEventListener("htmx:oobAfterSwap", compareAll);

const cover = document.getElementById("change-cover");
let waiting = 0;
cover?.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
        const place = cover.closest("[data-frames]");
        place.querySelector("img").src = `${place.dataset.frames}?ms=${cover.value}`;
    }, 150);
});
