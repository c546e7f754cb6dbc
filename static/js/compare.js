// Before and after in one picture: both play together, a divider says how much of each is seen.

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const APART = 0.15;

export function compareAll() {
    for (const place of document.querySelectorAll("[data-compare][hidden]")) {
        start(place);
    }
}

function start(place) {
    const before = place.querySelector("[data-before]");
    const after = place.querySelector("[data-after]");
    const divider = place.querySelector(".compare__divider");
    const seek = place.querySelector("[data-seek]");
    const play = place.querySelector("[data-play]");
    const at = place.querySelector("[data-at]");
    const players = place.parentElement.querySelector(".players");
    place.hidden = false;
    players.classList.add("players--folded");

    // A browser may not know the original's codec (HEVC of a phone): each player on its own still shows the other.
    const apart = () => {
        const focused = place.contains(document.activeElement);
        place.remove();
        players.classList.remove("players--folded");
        if (focused) {
            players.querySelector("figure:last-of-type video").focus();
        }
    };
    before.addEventListener("error", apart);
    after.addEventListener("error", apart);

    const divide = () => {
        before.style.clipPath = `inset(0 ${100 - divider.value}% 0 0)`;
        place.querySelector(".compare__line").style.left = `${divider.value}%`;
    };
    const together = () => {
        if (Math.abs(before.currentTime - after.currentTime) > APART) {
            before.currentTime = Math.min(after.currentTime, before.duration || after.currentTime);
        }
    };
    divider.addEventListener("input", divide);
    play.addEventListener("click", () => {
        if (after.paused) {
            Promise.all([after.play(), before.play()]).catch(() => after.pause());
        } else {
            after.pause();
        }
    });
    after.addEventListener("pause", () => before.pause());
    after.addEventListener("ended", () => before.pause());
    for (const name of ["play", "pause", "ended"]) {
        after.addEventListener(name, () => play.setAttribute("aria-pressed", String(!after.paused)));
    }
    after.addEventListener("timeupdate", () => {
        together();
        seek.value = after.duration ? String((1000 * after.currentTime) / after.duration) : "0";
        seek.setAttribute("aria-valuetext", clock(after.currentTime));
        at.textContent = clock(after.currentTime);
    });
    seek.addEventListener("input", () => {
        if (!after.duration) {
            after.preload = before.preload = "metadata";
            return;
        }
        after.currentTime = (seek.value / 1000) * after.duration;
        together();
    });
    divide();
}
