// Choosing rows of the list: one by one, a range with Shift, those shown, or all that match. The choice outlives the
// rows' own changes: a row that is drawn anew gets its tick back.

const rows = document.getElementById("rows");
const bar = document.getElementById("bar");
const page = document.getElementById("pick-page");
const every = document.getElementById("bar-all");
const selection = document.getElementById("bar-selection");
const count = document.getElementById("bar-count");

const picked = new Set();
let everything = false;
let last = null;

const boxes = () => [...rows.querySelectorAll("[data-pick]")];
const boxOf = (element) => element.closest(".row")?.querySelector("[data-pick]");

function draw() {
    const shown = boxes();
    for (const box of shown) {
        box.checked = everything || picked.has(box.value);
        box.closest(".row").classList.toggle("is-picked", box.checked);
    }
    const number = everything ? Number(every.dataset.matching) : picked.size;
    const ticked = shown.filter((box) => box.checked).length;
    bar.classList.toggle("is-on", number > 0);
    count.textContent = number === 1 ? count.dataset.one : count.dataset.many.replace("{n}", String(number));
    selection.disabled = !everything;
    if (page) {
        page.checked = ticked > 0 && ticked === shown.length;
        page.indeterminate = ticked > 0 && ticked < shown.length;
    }
    if (every) {
        every.hidden = everything || ticked < shown.length || number >= Number(every.dataset.matching);
    }
}

function pick(box, on) {
    if (everything) {
        everything = false;
        boxes().forEach((other) => picked.add(other.value));
    }
    picked[on ? "add" : "delete"](box.value);
}

function clear() {
    everything = false;
    picked.clear();
    last = null;
    draw();
}

rows.addEventListener("click", (event) => {
    if (!event.target.matches("[data-pick]")) {
        return;
    }
    const shown = boxes();
    const box = event.target;
    const from = event.shiftKey ? shown.findIndex((other) => other.value === last) : -1;
    const to = shown.indexOf(box);
    const on = box.checked;
    const range = from < 0 ? [box] : shown.slice(Math.min(from, to), Math.max(from, to) + 1);
    range.forEach((other) => pick(other, on));
    last = box.value;
    draw();
});

rows.addEventListener("keydown", (event) => {
    const box = boxOf(event.target);
    const plain = !(event.ctrlKey || event.metaKey || event.altKey);
    const asked = event.key === "x" || (event.key === " " && event.target.matches("a"));
    if (box && plain && asked) {
        event.preventDefault();
        pick(box, !box.checked);
        last = box.value;
        draw();
    }
});

document.addEventListener("keydown", (event) => {
    const writing = event.target.closest?.("dialog, input:not([type=checkbox]), textarea, select");
    if (event.key === "Escape" && !writing && !document.querySelector("dialog[open]")) {
        clear();
    }
});

page?.addEventListener("change", () => {
    const on = page.checked;
    everything = false;
    boxes().forEach((box) => pick(box, on));
    draw();
});

every?.addEventListener("click", () => {
    everything = true;
    draw();
    bar.querySelector("[name=kind]").focus();
});

bar.addEventListener("reset", () => setTimeout(clear));
document.addEventListener("htmx:oobAfterSwap", draw);
document.addEventListener("htmx:afterSettle", draw);
window.addEventListener("pageshow", () => {
    boxes().filter((box) => box.checked).forEach((box) => picked.add(box.value));
    draw();
});
