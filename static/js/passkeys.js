// Passkeys: a button makes one (data-passkey="new"), or uses one in the place of the code ("use").

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));

const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
        .replace(/\+/g, "-")
        .replace(/\//g, "_")
        .replace(/=+$/, "");

const withBytes = (descriptors = []) => descriptors.map((descriptor) => ({ ...descriptor, id: toBytes(descriptor.id) }));

/** The options of the server, as the browser wants them. */
const read = (options) => ({
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: withBytes(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: withBytes(options.allowCredentials) }),
});

/** What the browser made, as the server wants it. */
function write(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
        if (credential.response[name]) {
            response[name] = toText(credential.response[name]);
        }
    }
    if (credential.response.getTransports) {
        response.transports = credential.response.getTransports();
    }
    return {
        id: credential.id,
        rawId: toText(credential.rawId),
        type: credential.type,
        authenticatorAttachment: credential.authenticatorAttachment,
        clientExtensionResults: credential.getClientExtensionResults(),
        response,
    };
}

async function post(address, body, token) {
    const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
    const where = answer.status === 401 && answer.headers.get("Log-In-At");
    if (where) {
        location.assign(`${where}${where.includes("?") ? "&" : "?"}next=${encodeURIComponent(location.pathname)}`);
    }
    const told = await answer.json();
    if (!answer.ok) {
        throw new Error(told.error);
    }
    return told;
}

async function run(form) {
    const { passkey, begin, finish } = form.dataset;
    const token = form.elements.csrfmiddlewaretoken.value;
    const publicKey = read(await post(begin, {}, token));
    let credential;
    try {
        credential = await (passkey === "new" ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
    } catch (error) {
        throw new Error(error.name === "InvalidStateError" ? form.dataset.known : form.dataset.cancelled);
    }
    const done = await post(finish, { credential: write(credential), name: form.elements.name?.value }, token);
    location.assign(done.next ?? location.pathname);
}

// They come hidden: pressed before this has run, a form would be sent to a page that takes none.
for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const said = form.querySelector("[role=alert]");
        said.hidden = true;
        try {
            await run(form);
        } catch (error) {
            said.querySelector("span").textContent = error.message;
            said.hidden = false;
        }
    });
    form.hidden = !window.PublicKeyCredential;
}
