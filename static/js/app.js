// Every page: toasts, dialogs, small habits of fields. No page needs more than its own module besides this one.

import "./trouble.js";

const TOAST_MS = 9000;

function closeLater(toast) {
    if (!toast.classList.contains("is-attention")) {
        setTimeout(() => toast.remove(), TOAST_MS);
    }
}

function openDialog(id) {
    const dialog = document.getElementById(id);
    if (dialog instanceof HTMLDialogElement && !dialog.open) {
        dialog.showModal();
    }
}

document.querySelectorAll("[data-toast]").forEach(closeLater);

document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target.closest("button, a") : null;
    if (!target) {
        return;
    }
    if (target.hasAttribute("data-close")) {
        target.closest("[data-toast]")?.remove();
        target.closest("dialog")?.close();
    }
    if (target.dataset.dialog) {
        openDialog(target.dataset.dialog);
    }
    if (target.dataset.copy) {
        await navigator.clipboard.writeText(target.dataset.copy);
        const label = target.querySelector("[data-label]");
        if (label && target.dataset.copied) {
            const before = label.textContent;
            label.textContent = target.dataset.copied;
            setTimeout(() => (label.textContent = before), 2000);
        }
    }
});

// A picture that does not load leaves the initials behind it.
document.addEventListener(
    "error",
    (event) => {
        if (event.target instanceof HTMLImageElement && event.target.closest(".avatar, .row__thumb, [data-frame]")) {
            event.target.hidden = true;
        }
    },
    true,
);

document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) {
        event.target.form.requestSubmit();
    }
});

// A button is pressed once, however often it is clicked.
document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && !event.defaultPrevented) {
        button.setAttribute("aria-busy", "true");
        setTimeout(() => (button.disabled = true), 0);
    }
});

window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
        document.querySelectorAll("button[aria-busy]").forEach((button) => {
            button.disabled = false;
            button.removeAttribute("aria-busy");
        });
    }
});

if (location.hash.startsWith("#dialog-")) {
    openDialog(location.hash.slice(1));
}
