// Asking the server what changed: often while something moves, seldom otherwise, never in a hidden tab.

import { onAgain, repeats } from "./trouble.js";

const MOVING_MS = 3000;
const STILL_MS = 15000;

/**
 * Poll `address()` by htmx, which swaps the out-of-band pieces of the answer; 204 changes nothing.
 * `headers()` go with the question: an `If-None-Match` is answered 304. `moving()` says whether something is at work; `told(reached)` is called after each answer.
 */
export function keepLive({ element, address, moving, headers = () => ({}), told = () => {} }) {
    let timer = 0;
    let asking = false;
    let reached = true;

    repeats(element);
    onAgain(ask);
    element.addEventListener("htmx:afterRequest", (event) => {
        reached = event.detail.successful;
    });

    const later = () => {
        clearTimeout(timer);
        timer = setTimeout(ask, moving() ? MOVING_MS : STILL_MS);
    };

    async function ask() {
        if (!document.hidden && !asking) {
            asking = true;
            await htmx.ajax("GET", address(), { source: element, target: element, swap: "none", headers: headers() }).catch(() => {
                reached = false;
            });
            asking = false;
            told(reached);
        }
        later();
    }

    document.addEventListener("visibilitychange", () => {
        if (!document.hidden) {
            ask();
        }
    });
    later();
}
