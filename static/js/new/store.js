// A reload loses nothing: the form is kept in this tab until it has been sent.

import { syncParts } from "./accounts.js";
import { reset, takeAsset } from "./file.js";
import { ask, byId, changed, form, later, onChange, state, t } from "./state.js";
import { takeTrack } from "./subtitles.js";

const preset = JSON.parse(form.dataset.preset || "{}");
const key = `subiteya:new:${form.dataset.user}:${location.search}`;
const LOOSE = ["script", "track-language"];
let parts = {};
let kept = true;

const plain = () =>
    [...form.elements].filter((field) => field.name && !["csrfmiddlewaretoken", "source", "track"].includes(field.name));

function save() {
    if (!kept) {
        return;
    }
    const fields = plain().map((field) => [field.name, field.value, field.checked ?? null, field.type]);
    fields.push(...Object.values(parts).flat()); // of parts that TikTok has not answered about yet
    const values = {
        fields,
        loose: LOOSE.map((id) => [id, byId(id).value]),
        asset: state.asset,
        track: state.track,
    };
    try {
        sessionStorage.setItem(key, JSON.stringify(values));
    } catch {
        // a full or forbidden storage: the page works, a reload starts over
    }
}

export function startStore() {
    const stored = read();
    if (stored) {
        restore(stored);
    } else if (preset.account) {
        usePreset();
    }
    const soon = later(300, save);
    onChange(soon);
    window.addEventListener("pagehide", save);
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function read() {
    try {
        return JSON.parse(sessionStorage.getItem(key));
    } catch {
        return null;
    }
}

function restore(stored) {
    for (const [name, text, checked, type] of stored.fields) {
        if (/^\d+-/.test(name)) {
            (parts[name.split("-")[0]] ??= []).push([name, text, checked, type]);
        } else {
            apply(form, [name, text, checked, type]);
        }
    }
    for (const [id, text] of stored.loose) {
        byId(id).value = text;
    }
    open(form);
    syncParts();
    if (stored.asset) {
        reload(stored.asset, takeAsset, stored.track);
    }
}

function apply(place, [name, text, checked, type]) {
    const fields = [...place.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
    if (type === "radio" || type === "checkbox") {
        for (const field of fields.filter((one) => one.value === text && !one.disabled)) {
            field.checked = checked;
        }
    } else if (type === "range") {
        fields[0].dataset.wanted = text;
    } else if (fields[0]) {
        fields[0].value = text;
    }
}

function open(place) {
    for (const box of place.querySelectorAll("[data-opens]")) {
        byId(box.dataset.opens).hidden = !box.checked;
    }
}

async function reload(asset, take, track) {
    try {
        take({ ...(await ask(asset.detail_url)), name: asset.name });
        if (track) {
            takeTrack(await ask(track.detail_url));
        }
    } catch (error) {
        if (error.status === 404) {
            reset();
        }
    }
    changed();
}

/** A part that came from TikTok: what had been chosen there, as far as it is still offered. */
export function restorePart(part) {
    for (const field of parts[part.dataset.part] ?? []) {
        apply(part, field);
    }
    delete parts[part.dataset.part];
    open(part);
}

function usePreset() {
    byId("caption").value = preset.caption;
    form.elements.mode.value = preset.mode;
    for (const account of preset.accounts ?? [preset.account]) {
        const box = form.querySelector(`[name="accounts"][value="${account}"]`);
        if (box) {
            box.checked = true;
        }
    }
    syncParts();
    if (preset.asset) {
        takeAsset(preset.asset);
    }
}

/** It was sent: the next New page is a new one. */
export function forget() {
    kept = false;
    sessionStorage.removeItem(key);
}

export function startOver() {
    if (window.confirm(t("start_over"))) {
        forget();
        location.assign(location.pathname);
    }
}
