// Suggested hashtags for the sectors of the chosen accounts: a chip puts its hashtag at the end of the text.

import { ask, askHtml, byId, changed, chosenAccounts, form, isInbox, later, onChange, showError, t, value } from "./state.js";

const WAIT_MS = 300;
/** TikTok's limit. */
const MOST = 5;
const HASHTAG = /#([\p{L}\p{M}\p{N}_\p{So}\p{Sk}\u200d\ufe0f]+)/gu;
let asked = "";

export function startHashtags() {
    byId("hints").addEventListener("click", pressed);
    byId("hints-again").addEventListener("click", () => load(asked));
    onChange(refresh);
}

const soon = later(WAIT_MS, load);

function refresh() {
    const accounts = isInbox() ? "" : chosenAccounts().map((box) => box.value).join(",");
    if (accounts !== asked) {
        asked = accounts;
        soon(accounts);
    }
    const there = topicsOf(byId("caption").value);
    byId("too-many-hashtags").hidden = there.size <= MOST;
    for (const chip of byId("hints").querySelectorAll("[data-hashtag]")) {
        chip.setAttribute("aria-pressed", String(there.has(chip.dataset.topic)));
    }
}

async function load(accounts) {
    showError(byId("hints-error"), "");
    if (!accounts) {
        byId("hints").hidden = true;
        byId("hints").replaceChildren();
        return;
    }
    const body = new URLSearchParams({ submission_key: value("submission_key") });
    accounts.split(",").forEach((pk) => body.append("accounts", pk));
    try {
        const html = await askHtml(form.dataset.hints, { method: "POST", body });
        if (accounts === asked) {
            byId("hints").innerHTML = html;
            byId("hints").hidden = false;
            refresh();
        }
    } catch {
        if (accounts === asked) {
            showError(byId("hints-error"), t("hints_failed"));
        }
    }
}

/** The topics of a text, folded as the server folds them: no case, no accents, but ñ is a letter. */
function topicsOf(text) {
    return new Set([...text.normalize("NFC").matchAll(HASHTAG)].map((found) => fold(found[1])));
}

function fold(hashtag) {
    const plain = hashtag.normalize("NFKC").toLowerCase().normalize("NFKC");
    const bare = [...plain].map((one) => (one === "ñ" ? one : one.normalize("NFD").replace(/[\u0300-\u036f]/g, "")));
    return bare.join("").replace(/[\u200d\ufe0e\ufe0f]|[\u{1f3fb}-\u{1f3ff}]/gu, "");
}

function pressed(event) {
    const chip = event.target.closest("[data-hashtag]");
    const block = event.target.closest("[data-block]");
    const undo = event.target.closest("[data-hint-undo]");
    if (chip) {
        toggle(chip);
    } else if (block) {
        stop(block);
    } else if (undo) {
        ask(form.dataset.hintUnblock, { method: "POST", body: new URLSearchParams({ blocked: undo.dataset.hintUndo }) })
            .then(() => load(asked))
            .catch(() => showError(byId("hints-error"), t("hints_failed")));
    }
}

function toggle(chip) {
    const text = byId("caption");
    if (chip.getAttribute("aria-pressed") === "true") {
        const without = text.value.replace(HASHTAG, (all, word) => (fold(word) === chip.dataset.topic ? "" : all));
        text.value = without.replace(/[^\S\n]{2,}/g, " ").trimEnd();
    } else {
        text.value = `${text.value.trimEnd()} #${chip.dataset.hashtag} `.trimStart();
    }
    changed();
}

/** Not in this sector again; its place offers the way back. */
async function stop(button) {
    const item = button.closest("li");
    const sector = button.closest("[data-sector]").dataset.sector;
    const body = new URLSearchParams({ topic: button.dataset.block, sector });
    try {
        const answer = await ask(form.dataset.hintBlock, { method: "POST", body });
        const said = document.createElement("p");
        said.className = "hint";
        said.textContent = `${t("hint_blocked", { name: button.dataset.block })} `;
        const back = document.createElement("button");
        back.type = "button";
        back.className = "button button--small";
        back.dataset.hintUndo = answer.blocked;
        back.textContent = t("undo");
        said.append(back);
        item.replaceChildren(said);
        back.focus();
    } catch {
        showError(byId("hints-error"), t("hints_failed"));
    }
}
