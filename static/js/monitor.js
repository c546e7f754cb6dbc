// The monitor: its changing part comes anew when something changed; what a person unfolded stays unfolded.

import { keepLive } from "./live.js";

const freshness = document.getElementById("freshness");
const part = () => document.getElementById("board");

function address() {
    const url = new URL(part().dataset.live, location.href);
    url.searchParams.set("v", part().dataset.v);
    return url.pathname + url.search;
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
    for (const details of event.detail.target.querySelectorAll("details[id][open]")) {
        event.detail.fragment.querySelector(`#${details.id}`)?.setAttribute("open", "");
    }
});

keepLive({
    element: document.body,
    address,
    moving: () => false,
    told: (reached) => {
        freshness.textContent = reached ? freshness.dataset.now : freshness.dataset.lost;
    },
});
