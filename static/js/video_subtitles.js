// The lines of a video that has not gone out: the editor of the New page, alone.

import { readCues, showCues } from "./new/cues.js";
import { ask, byId, form, showError, state } from "./new/state.js";

state.asset = JSON.parse(form.dataset.asset);
showCues(JSON.parse(form.dataset.cues));

form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = byId("subtitles-error");
    showError(place, "");
    try {
        const body = JSON.stringify({ cues: readCues() });
        const headers = { "Content-Type": "application/json" };
        const track = await ask(form.dataset.track, { method: "POST", body, headers });
        form.elements.track.value = track.id;
        form.submit();
    } catch (error) {
        showError(place, error.message);
    }
});
