// Counting as TikTok counts: UTF-16 units, which is what a JavaScript string is made of.

import { form, onChange } from "./state.js";

const max = Number(form.dataset.captionMax);

export const tooLong = (text) => text.value.trim().length > max;

export function startCaptions() {
    onChange(() => {
        for (const text of form.querySelectorAll("[data-caption]")) {
            const length = text.value.trim().length;
            const counter = text.parentElement.querySelector(".counter");
            counter.querySelector("[data-count]").textContent = String(length);
            counter.classList.toggle("counter--over", length > max);
            text.setAttribute("aria-invalid", String(length > max));
        }
    });
}
