// The bell of every page: how many notices are unread. The server answers nothing while the number stays.

import { keepLive } from "./live.js";

const said = document.getElementById("bell-said");

if (said) {
    keepLive({
        element: said,
        address: () => `${said.dataset.bell}?v=${document.getElementById("bell-side").dataset.unread}`,
        moving: () => false,
    });
}
