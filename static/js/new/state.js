// What the page knows: the form itself, the stored file, its subtitles; and the words of the active language.

export const form = document.getElementById("new");
export const byId = (id) => document.getElementById(id);

export const state = {
    /** The server's answer about the file, or null. */
    asset: null,
    /** The chosen File, for a preview without the network. */
    file: null,
    uploading: false,
    /** The server's answer about the subtitles, or null. */
    track: null,
};

const words = Object.fromEntries(
    [...byId("words").content.querySelectorAll("[data-word]")].map((item) => [item.dataset.word, item.textContent]),
);

/** A sentence of the page's language with its values: t("goes_at", {account, at}). */
export function t(word, values = {}) {
    return words[word].replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");
}

/** `name_one` or `name_many`. */
export const many = (name, n) => t(n === 1 ? `${name}_one` : `${name}_many`, { n });

/** Tell every part that something is different now. */
export function changed() {
    form.dispatchEvent(new CustomEvent("form:changed"));
}

export const onChange = (listener) => form.addEventListener("form:changed", listener);
export const value = (name) => form.elements[name]?.value ?? "";
export const isInbox = () => value("mode") === "inbox";
export const chosenAccounts = () => [...form.querySelectorAll('input[name="accounts"]:checked')];
export const partOf = (pk) => byId(`part-${pk}`);

/** Show `text` in the error place `element`, or hide it when there is none. */
export function showError(element, text) {
    element.hidden = !text;
    element.querySelector("[data-text]").textContent = text || "";
}

export function clock(ms) {
    const seconds = Math.max(0, ms) / 1000;
    const rest = (seconds % 60).toFixed(1).padStart(4, "0");
    return `${Math.floor(seconds / 60)}:${rest}`;
}

export function bytes(size) {
    for (const [unit, factor] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
        if (size >= factor) {
            return `${(size / factor).toFixed(1).replace(/\.0$/, "")} ${unit}`;
        }
    }
    return `${size} B`;
}

export function later(milliseconds, action) {
    let timer = 0;
    return (...values) => {
        clearTimeout(timer);
        timer = setTimeout(() => action(...values), milliseconds);
    };
}

/**
 * Ask the server and return its JSON; an answer that is no success becomes an Error with its sentence,
 * and `status` and `body` beside it.
 */
export async function ask(url, options = {}) {
    return (await answered(url, options)).json();
}

/** As `ask`, for a piece of the page. */
export async function askHtml(url, options = {}) {
    return (await answered(url, options)).text();
}

async function answered(url, options) {
    const headers = { Accept: "application/json", "X-CSRFToken": value("csrfmiddlewaretoken"), ...options.headers };
    let response;
    try {
        response = await fetch(url, { ...options, headers, credentials: "same-origin" });
    } catch {
        throw new Error(t("cut"));
    }
    if (!response.ok) {
        const body = await response.json().catch(() => ({}));
        throw Object.assign(new Error(body.error || t("failed")), { status: response.status, body });
    }
    return response;
}
