// The reports: the print button; on paper nothing is folded away.

for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => window.print());
}
let opened = [];
window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".report details:not([open])")];
    for (const details of opened) details.open = true;
});
window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
});
