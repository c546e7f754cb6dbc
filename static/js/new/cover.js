// The cover: a frame of the file, by a slider.

import { byId, clock, later, onChange, state, t } from "./state.js";

const showFrame = later(250, (asset, ms) => {
    const frame = byId("cover-frame");
    frame.hidden = false;
    frame.src = `${asset.frame_url}?ms=${ms}`;
});

export function startCover() {
    const slider = byId("cover");
    let shown = "";
    onChange(() => {
        const asset = state.asset;
        const ready = asset?.status === "ready";
        slider.disabled = !ready;
        if (!ready) {
            shown = "";
            byId("cover-frame").hidden = true;
            return;
        }
        slider.max = String(Math.max(0, asset.duration_ms - 200));
        if (slider.dataset.wanted) {
            slider.value = slider.dataset.wanted; // restored before the file was known
            delete slider.dataset.wanted;
        }
        byId("cover-said").textContent = t("cover_at", { at: clock(Number(slider.value)) });
        const wanted = `${asset.id}:${slider.value}`;
        if (wanted !== shown) {
            shown = wanted;
            showFrame(asset, slider.value);
        }
    });
}
