// The New page: each part looks after its own section and tells the others by "form:changed".

import { startAccounts } from "./new/accounts.js";
import { startCaptions } from "./new/captions.js";
import { startCover } from "./new/cover.js";
import { startFile } from "./new/file.js";
import { startHashtags } from "./new/hashtags.js";
import { startReview } from "./new/review.js";
import { startSchedule } from "./new/schedule.js";
import { startOver, startStore } from "./new/store.js";
import { byId, changed, form } from "./new/state.js";
import { startSubtitles } from "./new/subtitles.js";

form.addEventListener("change", (event) => {
    const opens = event.target.dataset.opens;
    if (opens) {
        byId(opens).hidden = !event.target.checked;
    }
    changed();
});
form.addEventListener("input", () => changed());

// htmx reads its configuration at DOMContentLoaded, which comes after every module: nothing may ask before.
document.addEventListener("DOMContentLoaded", () => {
    startFile();
    startAccounts();
    startCaptions();
    startHashtags();
    startSubtitles();
    startCover();
    startSchedule();
    startReview();
    startStore();
    byId("start-over").addEventListener("click", startOver);
    changed();
});
