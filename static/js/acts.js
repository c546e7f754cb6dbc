// Acts over many videos: the dialog with their effect opens when it arrives; the undo counts its seconds down.

const slot = document.getElementById("act-slot");

slot?.addEventListener("htmx:afterSwap", (event) => {
    const dialog = slot.querySelector("dialog[data-open]");
    if (event.detail.target === slot && dialog && !dialog.open) {
        dialog.showModal();
    }
});

const offer = document.querySelector("[data-undo]");

function countDown() {
    const ends = Date.now() + Number(offer.dataset.undo) * 1000;
    const left = offer.querySelector("[data-left]");
    const timer = setInterval(() => {
        const seconds = Math.ceil((ends - Date.now()) / 1000);
        if (seconds > 0 && offer.isConnected) {
            left.textContent = String(seconds);
        } else {
            clearInterval(timer);
            offer.remove();
        }
    }, 250);
}

if (offer) {
    countDown();
    offer.querySelector("[data-close-undo]").addEventListener("click", () => offer.remove());
    document.addEventListener("keydown", (event) => {
        const writing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
        const asked = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
        if (asked && !writing && offer.isConnected) {
            event.preventDefault();
            offer.requestSubmit();
        }
    });
}
