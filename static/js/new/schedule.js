// When: one instant, from the chosen zone's clocks; every account's own clock is printed beside it.

import { byId, chosenAccounts, onChange, t, value } from "./state.js";

export function startSchedule() {
    const today = new Date();
    const pad = (n) => String(n).padStart(2, "0");
    byId("scheduled_day").min = `${today.getFullYear()}-${pad(today.getMonth() + 1)}-${pad(today.getDate())}`;
    byId("scheduled_zone").addEventListener("change", (event) => (event.target.dataset.chosen = "yes"));
    onChange(refresh);
}

function refresh() {
    const later = value("when") === "later";
    byId("schedule").hidden = !later;
    const chosen = chosenAccounts();
    const zone = byId("scheduled_zone");
    if (chosen.length && !zone.dataset.chosen) {
        zone.value = chosen[0].dataset.zone;
    }
    const moment = instant();
    const lines = moment
        ? chosen.map((box) => t("goes_at", { account: box.dataset.name, at: inZone(moment, box.dataset.zone) }))
        : [];
    byId("schedule-zones").replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
}

/** The chosen moment as a Date, or null while it is not chosen whole. */
export function instant() {
    const [day, hour] = [value("scheduled_day"), value("scheduled_hour")];
    if (!day || !hour) {
        return null;
    }
    const wall = Date.parse(`${day}T${hour}Z`);
    const guess = wall - offset(wall, value("scheduled_zone"));
    return new Date(wall - offset(guess, value("scheduled_zone")));
}

/** How far the zone's clocks are ahead of UTC at that moment, in milliseconds. */
function offset(ms, zone) {
    const format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric",
        minute: "numeric", second: "numeric",
    });
    const part = Object.fromEntries(format.formatToParts(ms).map((item) => [item.type, Number(item.value)]));
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - Math.floor(ms / 1000) * 1000;
}

export function inZone(moment, zone) {
    const text = new Intl.DateTimeFormat(document.documentElement.lang, {
        timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    }).format(moment);
    return `${text} (${zone.split("/").pop().replaceAll("_", " ")})`;
}
