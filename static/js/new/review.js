// The end of the page: exactly what will be sent, what is still missing, and the sending.

import { tooLong } from "./captions.js";
import { inZone, instant } from "./schedule.js";
import { ask, askHtml, byId, chosenAccounts, form, isInbox, many, onChange, partOf, showError, state, t, value } from "./state.js";
import { forget } from "./store.js";
import { mustSave, saveTrack } from "./subtitles.js";

let sending = false;
let leaving = false;

export function startReview() {
    onChange(refresh);
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        confirm();
    });
    form.addEventListener("input", (event) => clearError(event.target));
    byId("missing").addEventListener("click", (event) => {
        const link = event.target.closest("a");
        if (link) {
            event.preventDefault();
            const place = document.querySelector(link.getAttribute("href"));
            place.scrollIntoView({ block: "start" });
            place.querySelector("input:not([disabled]), textarea, select, button")?.focus({ preventScroll: true });
        }
    });
}

const tick = (part, name) => part?.querySelector(`[name="${part.dataset.part}-${name}"]`)?.checked ?? false;
const privacyOf = (part) => part?.querySelector(`[name="${part.dataset.part}-privacy_level"]:checked`);

/** What still has to be done, as [sentence, section]. */
function missing() {
    const found = [];
    const need = (condition, word, section, values = {}) => {
        if (condition) {
            found.push([t(word, values), section]);
        }
    };
    const chosen = chosenAccounts();
    need(state.uploading, "miss_upload", "#step-file");
    need(!state.uploading && !state.asset, "miss_file", "#step-file");
    need(!chosen.length, "miss_accounts", "#step-accounts");
    if (!isInbox()) {
        for (const box of chosen) {
            partMissing(box, need);
        }
        need(tooLong(byId("caption")), "miss_caption", "#step-caption");
        const { discloses, brand_organic, brand_content } = form.elements;
        need(discloses.checked && !brand_organic.checked && !brand_content.checked, "miss_discloses", "#step-labels");
    }
    if (value("subtitles") !== "none") {
        need(!state.track, "miss_track", "#step-subtitles");
        need(state.track?.status === "pending", "miss_track_wait", "#step-subtitles");
    }
    if (value("when") === "later") {
        const moment = instant();
        need(!moment, "miss_when", "#step-when");
        need(moment && moment <= new Date(), "miss_past", "#step-when");
    }
    return found;
}

function partMissing(box, need) {
    const part = partOf(box.value);
    const account = box.dataset.name;
    const section = `#part-${box.value}`;
    if (!part || (part.classList.contains("part--loading") && !part.dataset.problem)) {
        need(true, "miss_part", "#step-accounts", { account });
    } else if (part.dataset.problem) {
        need(true, "miss_problem", section, { account });
    } else {
        need(!privacyOf(part), "miss_privacy", section, { account });
        need("unconfirmed" in part.dataset, "miss_confirm", section, { account });
        need(part.hasAttribute("data-long"), "miss_long", section, { account });
        const own = part.querySelector("[data-caption]");
        need(tick(part, "own_caption") && tooLong(own), "miss_caption_of", section, { account });
    }
}

function refresh() {
    const left = missing();
    const chosen = chosenAccounts();
    byId("missing").replaceChildren(...left.map(([text, section]) => linkTo(text, section)));
    byId("missing-box").hidden = !left.length;
    byId("summary").replaceChildren(...chosen.map(summaryOf));
    byId("summary-empty").hidden = chosen.length > 0;
    byId("send").disabled = sending || left.length > 0;
    const kind = isInbox() ? "inbox" : value("when") === "later" ? "schedule" : "publish";
    byId("send").querySelector("span").textContent = sending ? t("sending") : chosen.length ? many(kind, chosen.length) : t("publish");
    const { discloses, brand_organic, brand_content } = form.elements;
    const paid = discloses.checked && brand_content.checked;
    byId("consent-branded").hidden = !paid;
    byId("disclosure").hidden = !discloses.checked;
    byId("disclosure-label").hidden = !(paid || brand_organic.checked);
    byId("disclosure-label").querySelector("span").textContent = t(paid ? "label_content" : "label_organic");
}

function linkTo(text, section) {
    const item = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: section, textContent: text });
    item.append(link);
    return item;
}

/** One account's line: to whom, in which words, when. */
function summaryOf(box) {
    const item = document.createElement("li");
    const line = (text, name) => item.append(Object.assign(document.createElement("p"), { textContent: text, className: name }));
    const part = partOf(box.value);
    line(box.dataset.nickname ? `${box.dataset.name} · ${box.dataset.nickname}` : box.dataset.name, "summary__who");
    const moment = value("when") === "later" ? instant() : null;
    const facts = [moment ? inZone(moment, box.dataset.zone) : t("now")];
    if (isInbox()) {
        facts.unshift(t("inbox"));
    } else {
        line(captionOf(part) || t("no_text"), "summary__text");
        const privacy = privacyOf(part)?.closest("label").querySelector("span").firstChild.textContent.trim();
        facts.unshift(...[privacy, allowed(part), ...labels()].filter(Boolean));
    }
    if (value("subtitles") !== "none") {
        facts.push(t(value("subtitles") === "system" ? "subtitles_by_lot" : "with_subtitles"));
    }
    line(facts.join(" · "), "summary__facts");
    return item;
}

const captionOf = (part) =>
    (tick(part, "own_caption") ? part.querySelector("[data-caption]").value : value("caption")).trim();

function allowed(part) {
    const what = ["comment", "duet", "stitch"].filter((name) => tick(part, `allow_${name}`)).map((name) => t(name));
    return what.length ? t("allows", { what: what.join(", ") }) : t("allows_none");
}

function labels() {
    const { discloses, brand_organic, brand_content, is_aigc } = form.elements;
    const label = brand_content.checked ? t("paid") : brand_organic.checked ? t("organic") : "";
    return [discloses.checked ? label : "", is_aigc.checked ? t("ai") : ""];
}

/** First the server says exactly what would be sent; a person confirms that. */
async function confirm() {
    if (sending || missing().length) {
        return;
    }
    await working(async () => {
        if (mustSave()) {
            await saveTrack();
        }
        const slot = byId("confirm-slot");
        slot.innerHTML = await askHtml(form.dataset.check, { method: "POST", body: new FormData(form) });
        const dialog = slot.querySelector("dialog");
        byId("confirm-send").addEventListener("click", () => send(dialog));
        dialog.showModal();
        byId("confirm-title").focus();
    });
}

async function send(dialog) {
    const unticked = dialog.querySelector("input[required]:not(:checked)");
    if (sending || unticked) {
        unticked?.closest("details").setAttribute("open", "");
        unticked?.focus();
        showError(byId("confirm-error"), unticked ? t("tick_duplicates") : "");
        return;
    }
    byId("confirm-send").disabled = true;
    const body = new FormData(form);
    await working(async () => {
        const answer = await ask(location.pathname, { method: "POST", body });
        forget();
        leaving = true;
        location.assign(answer.location);
    });
    if (!leaving) {
        dialog.close();
    }
}

/** Do it with the button at rest; what goes wrong is shown at its place, and nothing of the form is lost. */
async function working(act) {
    sending = true;
    clearErrors();
    refresh();
    try {
        await act();
    } catch (error) {
        showErrors(error.body?.errors ?? [], error.message);
    }
    sending = leaving;
    refresh();
}

/** Each error beside its field; what has no place of its own is said above the button. */
function showErrors(errors, text) {
    const homeless = errors.filter(({ field, account, message }) => {
        const home = (account && partOf(account)?.querySelector(`[data-error~="${field}"]`)) || form.querySelector(`.step > [data-error~="${field}"], .step > .field > [data-error~="${field}"], .step [data-error~="${field}"]:not(.part *)`);
        if (home) {
            showError(home, message);
        }
        return !home;
    });
    const general = errors.length ? [t("mend"), ...homeless.map((error) => error.message)].join(" ") : text;
    showError(form.querySelector('[data-error="*"]'), general);
    form.querySelector(".step .error:not([hidden])")?.scrollIntoView({ block: "center" });
}

function clearErrors() {
    form.querySelectorAll("[data-error]").forEach((place) => showError(place, ""));
}

function clearError(field) {
    const place = field.closest(".part, .step")?.querySelector("[data-error]:not([hidden])");
    if (place && field.id !== "file") {
        showError(place, "");
    }
}
