// Choosing accounts: each one's part of the posting form comes from TikTok's answer of this moment.

import { byId, changed, chosenAccounts, form, isInbox, many, onChange, partOf, showError, state, t } from "./state.js";
import { restorePart } from "./store.js";

const boxes = () => [...form.querySelectorAll('input[name="accounts"]')];
const visible = () => boxes().filter((box) => !box.closest("li").hidden);

export function startAccounts() {
    form.addEventListener("change", (event) => {
        if (event.target.name === "accounts" || event.target.name === "mode") {
            syncParts();
        }
    });
    byId("account-all")?.addEventListener("click", toggleAll);
    byId("account-search")?.addEventListener("input", (event) => {
        const wanted = event.target.value.trim().toLowerCase().replace(/^@/, "");
        for (const item of byId("choices").children) {
            item.hidden = !item.dataset.words.includes(wanted);
        }
    });
    byId("account-search")?.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
            event.preventDefault();
        }
    });
    byId("parts").addEventListener("click", pressed);
    byId("parts").addEventListener("change", (event) => {
        if (event.target.type === "radio" || event.target.type === "checkbox") {
            confirmPart(event.target.closest(".part"));
        }
    });
    onChange(refresh);
}

function toggleAll() {
    const shown = visible();
    const check = shown.some((box) => !box.checked);
    for (const box of shown) {
        box.checked = check;
    }
    syncParts();
    changed();
}

/** Every chosen account has its part, in the list's order; the others have none. */
export function syncParts() {
    form.dataset.mode = isInbox() ? "inbox" : "direct";
    if (isInbox()) {
        return;
    }
    const chosen = chosenAccounts();
    const wanted = new Set(chosen.map((box) => `part-${box.value}`));
    for (const part of [...byId("parts").children]) {
        if (!wanted.has(part.id)) {
            part.remove();
        }
    }
    chosen.filter((box) => !partOf(box.value)).forEach(load);
}

async function load(box) {
    const holder = byId("part-loading").content.firstElementChild.cloneNode(true);
    holder.id = `part-${box.value}`;
    holder.querySelector("p").textContent = t("asking", { account: box.dataset.name });
    place(holder, box);
    const url = `${form.dataset.creator}?accounts=${box.value}`;
    // A source of its own: htmx lets one element ask one thing at a time.
    await htmx.ajax("GET", url, { source: holder, target: holder, swap: "outerHTML" }).catch(() => {});
    const part = partOf(box.value);
    if (part?.classList.contains("part--loading")) {
        part.dataset.problem = t("ask_failed");
        part.querySelector("p").textContent = t("ask_failed");
    } else if (part) {
        restorePart(part);
    }
    changed();
}

/** Where it stands in the list of accounts, so that parts do not jump when answers come in another order. */
function place(holder, box) {
    const order = boxes().map((one) => `part-${one.value}`);
    const after = [...byId("parts").children].find((part) => order.indexOf(part.id) > order.indexOf(`part-${box.value}`));
    byId("parts").insertBefore(holder, after ?? null);
}

function pressed(event) {
    const part = event.target.closest(".part");
    if (event.target.closest("[data-copy-part]")) {
        copyToOthers(part);
    } else if (event.target.closest("[data-confirm-part]")) {
        confirmPart(part);
        changed();
    } else if (event.target.closest("[data-ask-again]")) {
        part.remove();
        syncParts();
    }
}

const field = (part, name) => [...part.querySelectorAll(`[name="${part.dataset.part}-${name}"]`)];

/** The same choices elsewhere, as far as each account offers them; each copy waits for a confirmation. */
function copyToOthers(from) {
    for (const part of byId("parts").querySelectorAll(".part[data-max-seconds]")) {
        if (part === from) {
            continue;
        }
        const privacy = field(from, "privacy_level").find((box) => box.checked)?.value;
        for (const box of field(part, "privacy_level")) {
            box.checked = box.value === privacy && !box.disabled;
        }
        for (const name of ["allow_comment", "allow_duet", "allow_stitch"]) {
            const [source] = field(from, name);
            const [box] = field(part, name);
            box.checked = source.checked && !box.disabled;
        }
        part.dataset.unconfirmed = "";
        part.querySelector(".part__copied").hidden = false;
    }
    changed();
}

function confirmPart(part) {
    if (part && "unconfirmed" in part.dataset) {
        delete part.dataset.unconfirmed;
        part.querySelector(".part__copied").hidden = true;
    }
}

function refresh() {
    const n = chosenAccounts().length;
    if (byId("account-count")) {
        byId("account-count").textContent = n ? many("chosen", n) : "";
        const all = visible().length > 0 && visible().every((box) => box.checked);
        byId("account-all").lastChild.textContent = t(all ? "choose_none" : "choose_all");
    }
    const parts = [...byId("parts").querySelectorAll(".part[data-max-seconds]")];
    byId("parts").classList.toggle("parts-of-form--several", parts.length > 1);
    const branded = form.elements.discloses.checked && form.elements.brand_content.checked;
    for (const part of parts) {
        refreshPart(part, branded);
    }
}

function refreshPart(part, branded) {
    for (const box of field(part, "privacy_level").filter((one) => one.value === "SELF_ONLY")) {
        box.disabled = branded || "closed" in box.dataset;
        box.checked &&= !branded;
        box.closest("label").querySelector(".part__branded").hidden = !branded;
    }
    const limit = Number(part.dataset.maxSeconds) * 1000;
    const long = limit > 0 && (state.asset?.duration_ms ?? 0) > limit;
    part.toggleAttribute("data-long", long);
    const clockOf = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;
    const values = { account: part.dataset.name, max: clockOf(limit), duration: clockOf(state.asset?.duration_ms ?? 0) };
    showError(part.querySelector(".part__long"), long ? t("too_long_for", values) : "");
}
