// Subtitles: made from the sound or read from a file by the server, corrected in the editor below.

import { cuesChanged, readCues, showCues } from "./cues.js";
import { ask, byId, changed, form, onChange, showError, state, t, value } from "./state.js";

const ASK_MS = 1500;
const errorPlace = document.querySelector('#step-subtitles > [data-error="track"]');

export function startSubtitles() {
    byId("track-make").addEventListener("click", make);
    byId("track-file").addEventListener("change", make);
    byId("cue-save").addEventListener("click", () => saveTrack().catch((error) => tell(error.message)));
    onChange(refresh);
}

/** Where the lines come from: what the system may choose is made as automatic ones. */
const source = () => (value("subtitles") === "system" ? "auto" : value("subtitles"));

function refresh() {
    const kind = source();
    byId("subtitles-system").hidden = value("subtitles") !== "system";
    byId("subtitles-source").hidden = kind === "none";
    for (const part of byId("subtitles-source").querySelectorAll("[data-for]")) {
        part.hidden = part.dataset.for !== kind;
    }
    byId("track-make").hidden = kind !== "auto";
    byId("track-make").disabled = !state.asset || state.track?.status === "pending";
    byId("track-file").disabled = !state.asset;
    if (!state.asset) {
        byId("track-said").textContent = t("make_first");
    } else if (byId("track-said").textContent === t("make_first")) {
        byId("track-said").textContent = "";
    }
    form.elements.track.value = kind === "none" || !state.track ? "" : state.track.id;
    byId("cues").hidden = kind === "none" || state.track?.status !== "ready";
}

async function make() {
    const file = byId("track-file").files[0];
    const kind = source();
    if (kind === "file" && !file) {
        return;
    }
    const data = new FormData();
    data.set("asset", state.asset.id);
    data.set("language", byId("track-language").value);
    if (kind === "file") {
        data.set("file", file);
    } else {
        data.set("script", byId("script").value);
    }
    showError(errorPlace, "");
    byId("track-said").textContent = t(kind === "file" ? "reading" : "making");
    try {
        takeTrack(await ask(form.dataset.tracks, { method: "POST", body: data }));
    } catch (error) {
        tell(error.message);
    }
    byId("track-file").value = "";
}

function tell(text) {
    byId("track-said").textContent = "";
    showError(errorPlace, text);
}

/** The server's answer about a track: wait for it, say why not, or open it in the editor. */
export function takeTrack(track) {
    state.track = track;
    if (track.status === "failed") {
        state.track = null;
        tell(track.error);
    } else if (track.status === "pending") {
        byId("track-said").textContent = t("making");
        setTimeout(() => askAgain(track), ASK_MS);
    } else {
        byId("track-said").textContent = "";
        showError(errorPlace, "");
        showCues(track.cues);
    }
    changed();
}

async function askAgain(track) {
    if (state.track?.id !== track.id) {
        return;
    }
    try {
        const answer = await ask(track.detail_url);
        if (state.track?.id === track.id) {
            takeTrack(answer);
        }
    } catch {
        setTimeout(() => askAgain(track), 2 * ASK_MS);
    }
}

/** Store the corrections. Throws an Error with a sentence when they cannot be stored. */
export async function saveTrack() {
    const cues = readCues();
    const body = JSON.stringify({ cues });
    const headers = { "Content-Type": "application/json" };
    state.track = await ask(state.track.detail_url, { method: "POST", body, headers });
    showError(errorPlace, "");
    showCues(state.track.cues);
    byId("cue-said").textContent = t("saved");
    changed();
}

export const mustSave = () => value("subtitles") !== "none" && state.track?.status === "ready" && cuesChanged();
