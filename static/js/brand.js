// A brand pattern's editor: the preview follows the form, and nothing is left unsaved unasked.

const WAIT_MS = 350;
const form = document.getElementById("brand");
const look = document.querySelector("[data-look]");
const part = (name) => look.querySelector(`[data-${name}]`);
const picture = part("picture");
const undo = form.querySelector("[data-revert]");
const wasRefused = form.querySelector("[data-errors]") !== null;

let asking = null;
let timer = 0;
let saving = false;

const state = () =>
    JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value instanceof File ? value.name : value]));
const saved = state();
const isChanged = () => wasRefused || state() !== saved;

function fields() {
    const data = new FormData(form);
    data.delete("music_file");
    data.set("share", part("share").value);
    data.set("sample", part("sample").value);
    if (part("before").checked) {
        data.set("before", "on");
    }
    return data;
}

function say(text) {
    part("error").hidden = text === "";
    part("error").textContent = text;
    part("again").hidden = text === "";
}

function busy(is) {
    part("frame").setAttribute("aria-busy", String(is));
    part("wait").hidden = !is;
}

function show(blob) {
    const old = picture.src;
    picture.src = URL.createObjectURL(blob);
    picture.hidden = false;
    if (old.startsWith("blob:")) {
        URL.revokeObjectURL(old);
    }
}

async function draw() {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    busy(true);
    try {
        const options = { method: "POST", body: fields(), signal: mine.signal, headers: { Accept: "application/json" } };
        const answer = await fetch(look.dataset.address, options);
        if (answer.ok) {
            const blob = await answer.blob();
            if (asking === mine) {
                show(blob);
                say("");
            }
        } else {
            const told = await answer.json().catch(() => ({}));
            if (asking === mine) {
                say(told.error ?? look.dataset.failed);
            }
        }
    } catch (error) {
        if (error.name !== "AbortError") {
            say(look.dataset.failed);
        }
    }
    if (asking === mine) {
        busy(false);
    }
}

function soon() {
    clearTimeout(timer);
    timer = setTimeout(draw, WAIT_MS);
}

function tell() {
    for (const output of form.querySelectorAll("output")) {
        output.value = document.getElementById(output.htmlFor.value).value;
    }
    undo.hidden = state() === saved;
}

form.addEventListener("input", () => {
    tell();
    soon();
});
form.addEventListener("reset", () => {
    // The fields have their values back only after this event.
    setTimeout(() => {
        tell();
        soon();
    });
});
form.addEventListener("submit", () => {
    saving = true;
});
for (const name of ["share", "sample", "before"]) {
    part(name).addEventListener("input", soon);
}
part("again").addEventListener("click", draw);
window.addEventListener("beforeunload", (event) => {
    if (isChanged() && !saving) {
        event.preventDefault();
    }
});

form.querySelector("[data-errors]")?.focus();
tell();
draw();
