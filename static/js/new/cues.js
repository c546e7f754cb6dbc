// The editor of subtitle lines: times and text beside the frame at which the line starts.

import { byId, clock, later, state, t } from "./state.js";

const list = byId("cue-list");
const screen = { frame: byId("cue-frame"), video: byId("cue-video"), text: byId("cue-shown") };
const FRESH_MS = 2000;
let touched = false;
let current = null;

export const cuesChanged = () => touched;

export function showCues(cues) {
    list.replaceChildren(...cues.map(row));
    touched = false;
    byId("cue-said").textContent = "";
    focusOn(list.firstElementChild, { take: false });
}

/** The lines as the server wants them. Throws an Error that says which time cannot be read. */
export function readCues() {
    return [...list.children].map((item) => {
        const [start_ms, end_ms] = [parse(get(item, "start").value), parse(get(item, "end").value)];
        const wrong = start_ms === null || end_ms === null || end_ms <= start_ms;
        get(item, "start").setAttribute("aria-invalid", String(wrong));
        get(item, "end").setAttribute("aria-invalid", String(wrong));
        if (wrong) {
            get(item, "start").focus();
            throw new Error(t("bad_time"));
        }
        return { start_ms, end_ms, text: get(item, "text").value };
    });
}

const get = (item, name) => item.querySelector(`[data-cue="${name}"]`);

function row(cue) {
    const item = byId("cue-row").content.firstElementChild.cloneNode(true);
    get(item, "start").value = clockMs(cue.start_ms);
    get(item, "end").value = clockMs(cue.end_ms);
    get(item, "text").value = cue.text;
    return item;
}

/** 83450 -> 1:23.45: a tenth is too coarse for a line's start. */
function clockMs(ms) {
    const rest = (Math.round(ms % 60000) / 1000).toFixed(2).padStart(5, "0");
    return `${Math.floor(ms / 60000)}:${rest}`;
}

function parse(text) {
    const match = /^\s*(?:(?:(\d+):)?(\d{1,2}):)?(\d{1,5}(?:[.,]\d{1,3})?)\s*$/.exec(text);
    if (!match) {
        return null;
    }
    const seconds = Number(match[3].replace(",", "."));
    return Math.round((Number(match[1] || 0) * 3600 + Number(match[2] || 0) * 60 + seconds) * 1000);
}

function change() {
    touched = true;
    byId("cue-said").textContent = t("unsaved");
}

const showFrame = later(200, (ms) => {
    if (state.asset?.status === "ready") {
        screen.frame.hidden = false;
        screen.frame.src = `${state.asset.frame_url}?ms=${ms}`;
    }
});

function focusOn(item, { take = true } = {}) {
    if (!item) {
        return;
    }
    for (const other of list.children) {
        other.classList.toggle("cue--current", other === item);
    }
    current = item;
    stop();
    screen.text.textContent = get(item, "text").value;
    const ms = parse(get(item, "start").value);
    if (ms !== null) {
        showFrame(ms);
    }
    if (take) {
        get(item, "text").focus();
    }
}

function addAfter(item) {
    const start = item ? (parse(get(item, "end").value) ?? 0) : 0;
    const next = item?.nextElementSibling;
    const limit = next ? (parse(get(next, "start").value) ?? Infinity) : (state.asset?.duration_ms ?? Infinity);
    const end = Math.max(start + 300, Math.min(start + FRESH_MS, limit));
    const added = row({ start_ms: start, end_ms: end, text: "" });
    item ? item.after(added) : list.append(added);
    change();
    focusOn(added);
}

function remove(item) {
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    change();
    focusOn(next);
}

function merge(item) {
    const next = item.nextElementSibling;
    if (next) {
        get(item, "end").value = get(next, "end").value;
        get(item, "text").value = `${get(item, "text").value.trim()} ${get(next, "text").value.trim()}`.trim();
        next.remove();
        change();
        focusOn(item);
    }
}

function stop() {
    screen.video.pause();
    screen.video.hidden = true;
}

/** Play from the line's start to its end, over the frame. */
async function play() {
    if (!current || !state.asset) {
        return;
    }
    const { video } = screen;
    const source = byId("preview").src;
    if (video.src !== source) {
        video.src = source;
    }
    const [from, to] = [parse(get(current, "start").value) ?? 0, parse(get(current, "end").value) ?? 0];
    video.currentTime = from / 1000;
    video.hidden = false;
    const watch = () => {
        if (video.currentTime * 1000 >= to || video.ended) {
            video.removeEventListener("timeupdate", watch);
            stop();
        }
    };
    video.addEventListener("timeupdate", watch);
    await video.play().catch(stop);
}

list.addEventListener("focusin", (event) => {
    const item = event.target.closest(".cue");
    if (item !== current) {
        focusOn(item, { take: false });
    }
});

list.addEventListener("input", (event) => {
    change();
    const item = event.target.closest(".cue");
    screen.text.textContent = get(item, "text").value;
    if (event.target.dataset.cue === "start") {
        const ms = parse(event.target.value);
        if (ms !== null) {
            showFrame(ms);
        }
    }
});

list.addEventListener("click", (event) => {
    const item = event.target.closest(".cue");
    if (event.target.closest("[data-cue-remove]")) {
        remove(item);
    } else if (event.target.closest("[data-cue-merge]")) {
        merge(item);
    }
});

list.addEventListener("keydown", (event) => {
    const item = event.target.closest(".cue");
    if (event.altKey && event.key === "ArrowDown") {
        event.preventDefault();
        focusOn(item.nextElementSibling);
    } else if (event.altKey && event.key === "ArrowUp") {
        event.preventDefault();
        focusOn(item.previousElementSibling);
    } else if (event.ctrlKey && event.key === "Enter") {
        event.preventDefault();
        addAfter(item);
    } else if (event.ctrlKey && event.key === "Backspace") {
        event.preventDefault();
        remove(item);
    } else if (event.key === "Enter" && event.target.matches("input")) {
        event.preventDefault();
        get(item, "text").focus();
    }
});

byId("cue-add").addEventListener("click", () => addAfter(current?.isConnected ? current : list.lastElementChild));
byId("cue-play").addEventListener("click", play);
