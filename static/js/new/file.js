// The video: dropped or picked, sent as it is in one request, then asked about until it has been checked.

import { ask, byId, bytes, changed, clock, form, showError, state, t, value } from "./state.js";

const CHECK_MS = 1000;
let request = null;

export function startFile() {
    byId("file").addEventListener("change", (event) => pick(event.target.files[0]));
    byId("upload-cancel").addEventListener("click", () => (request ? request.abort() : reset()));
    byId("upload-retry").addEventListener("click", () => pick(state.file));
    byId("taken-other").addEventListener("click", () => {
        reset();
        byId("file").click();
    });
    const drop = byId("drop");
    document.addEventListener("dragover", (event) => {
        event.preventDefault();
        drop.classList.add("drop--over");
    });
    document.addEventListener("dragleave", (event) => {
        if (!event.relatedTarget) {
            drop.classList.remove("drop--over");
        }
    });
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        drop.classList.remove("drop--over");
        if (!state.uploading) {
            pick(event.dataTransfer.files[0]);
        }
    });
    window.addEventListener("beforeunload", (event) => {
        if (state.uploading) {
            event.preventDefault();
        }
    });
}

function pick(file) {
    if (!file) {
        return;
    }
    reset();
    state.file = file;
    const max = Number(form.dataset.maxBytes);
    if (file.size > max) {
        refuse(t("too_large", { size: bytes(file.size), max: form.dataset.maxText }));
        return;
    }
    send(file);
}

function send(file) {
    const started = performance.now();
    request = new XMLHttpRequest();
    request.open("POST", form.dataset.upload);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", value("csrfmiddlewaretoken"));
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.setRequestHeader("Content-Type", file.type.startsWith("video/") ? file.type : "application/octet-stream");
    request.upload.addEventListener("progress", (event) => progress(event, started));
    request.addEventListener("load", () => loaded(request));
    request.addEventListener("error", () => stopped(t("cut")));
    request.addEventListener("abort", () => stopped(t("cancelled")));
    byId("upload-name").textContent = file.name;
    byId("upload-size").textContent = bytes(file.size);
    byId("upload-bar").value = 0;
    byId("upload-said").textContent = "";
    show("upload");
    byId("upload-retry").hidden = true;
    byId("upload-cancel").hidden = false;
    state.uploading = true;
    request.send(file);
    changed();
}

function progress(event, started) {
    const seconds = (performance.now() - started) / 1000;
    const speed = event.loaded / Math.max(seconds, 0.1);
    const left = Math.ceil((event.total - event.loaded) / Math.max(speed, 1));
    byId("upload-bar").value = (100 * event.loaded) / event.total;
    byId("upload-said").textContent =
        event.loaded === event.total
            ? t("storing")
            : t("uploading", {
                  percent: Math.floor((100 * event.loaded) / event.total),
                  speed: bytes(Math.round(speed)),
                  left: left < 60 ? t("seconds", { n: left }) : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`,
              });
}

function loaded(done) {
    request = null;
    state.uploading = false;
    let answer = {};
    try {
        answer = JSON.parse(done.responseText);
    } catch {
        // an answer that is not ours: told below
    }
    if (done.status === 201) {
        takeAsset({ ...answer, name: state.file?.name || answer.name });
    } else {
        refuse(answer.error || t("cut"), { again: done.status >= 500 || done.status === 401 || !answer.error });
    }
}

function stopped(text) {
    request = null;
    state.uploading = false;
    byId("upload-said").textContent = text;
    byId("upload-retry").hidden = false;
    byId("upload-cancel").hidden = true;
    show("upload", "drop");
    changed();
}

/** The file was not taken: say why and offer another; the rest of the form stays as it is. */
function refuse(text, { again = false } = {}) {
    state.asset = null;
    form.elements.source.value = "";
    showError(byId("file-error"), text);
    byId("file").value = "";
    byId("upload-said").textContent = "";
    byId("upload-retry").hidden = !again;
    byId("upload-cancel").hidden = true;
    show(...(again ? ["upload", "drop"] : ["drop"]));
    changed();
}

/** A file that the server has: show it, and go on asking while it is being checked. */
export function takeAsset(asset) {
    state.asset = asset;
    form.elements.source.value = asset.id;
    if (asset.status === "refused") {
        refuse(asset.error);
        return;
    }
    showError(byId("file-error"), "");
    byId("taken-name").textContent = asset.name || "";
    byId("taken-facts").textContent = facts(asset);
    byId("taken-state").textContent = asset.status === "ready" ? `✓ ${t("ready")}` : t("checking");
    byId("taken-state").classList.toggle("taken__state--ready", asset.status === "ready");
    if (asset.status === "ready") {
        byId("taken-frame").hidden = false;
        byId("taken-frame").src = `${asset.frame_url}?ms=${Math.min(500, asset.duration_ms / 2)}`;
    } else {
        setTimeout(() => askAgain(asset), CHECK_MS);
    }
    preview(asset);
    show("taken");
    changed();
}

async function askAgain(asset) {
    if (state.asset?.id !== asset.id) {
        return;
    }
    try {
        const answer = await ask(asset.detail_url);
        if (state.asset?.id === asset.id) {
            if (answer.status === "pending") {
                setTimeout(() => askAgain(asset), CHECK_MS);
            } else {
                takeAsset({ ...answer, name: asset.name || answer.name });
            }
        }
    } catch (error) {
        if (error.status === 404) {
            reset();
        } else {
            setTimeout(() => askAgain(asset), 3 * CHECK_MS);
        }
    }
}

function facts(asset) {
    const parts = [bytes(asset.size)];
    if (asset.status === "ready") {
        parts.unshift(clock(asset.duration_ms), `${asset.width}×${asset.height}`);
        parts.push(`${Math.round(asset.fps)} fps`);
        if (!asset.has_audio) {
            parts.push(t("no_sound"));
        }
    }
    return parts.join(" · ");
}

function preview(asset) {
    const video = byId("preview");
    const source = state.file ? (state.url ??= URL.createObjectURL(state.file)) : asset.media_url;
    if (video.getAttribute("src") !== source) {
        video.src = source;
    }
    if (asset.status === "ready") {
        video.poster = `${asset.frame_url}?ms=${Math.min(500, asset.duration_ms / 2)}`;
    }
    byId("stage").hidden = false;
}

/** Back to an empty first section. */
export function reset() {
    request?.abort();
    request = null;
    if (state.url) {
        URL.revokeObjectURL(state.url);
    }
    Object.assign(state, { asset: null, file: null, url: undefined, uploading: false, track: null });
    form.elements.source.value = "";
    byId("preview").removeAttribute("src");
    byId("preview").load();
    byId("stage").hidden = true;
    byId("taken-frame").hidden = true;
    showError(byId("file-error"), "");
    show("drop");
    changed();
}

function show(...ids) {
    for (const id of ["drop", "upload", "taken"]) {
        byId(id).hidden = !ids.includes(id);
    }
}
