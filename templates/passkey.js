// Passkeys: hands the form's options to the browser, and the browser's answer to the form. Both are JSON in the form of
// Web Authentication Level 3 (§5.1.8), read and written by hand, for older browsers cannot.
{
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  const text = (buffer) => buffer &&
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const form = document.querySelector("form[data-passkey]");
  const place = form.querySelector("[role=alert]");
  const field = form.elements.credential;
  const button = form.querySelector("button");

  const { publicKey } = JSON.parse(form.dataset.passkey);
  publicKey.challenge = bytes(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
  for (const known of [...(publicKey.allowCredentials ?? []), ...(publicKey.excludeCredentials ?? [])]) {
    known.id = bytes(known.id);
  }

  const written = ({ id, rawId, type, response }) => JSON.stringify({
    id,
    rawId: text(rawId),
    type,
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports?.(),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: text(response.userHandle),
    },
  });

  const send = (credential) => {
    field.value = written(credential);
    form.submit();
  };

  // Only one question may be open at a time: the one in the name field makes way for a click.
  let waiting;

  const problem = ({ name }) => {
    const { cancelled, known, failed } = place.dataset;
    place.textContent = { NotAllowedError: cancelled, AbortError: cancelled, InvalidStateError: known }[name] ?? failed;
  };

  const ask = async () => {
    waiting?.abort();
    place.textContent = "";
    button.disabled = true;
    try {
      const { credentials } = navigator;
      send(await (publicKey.user ? credentials.create({ publicKey }) : credentials.get({ publicKey })));
    } catch (error) {
      problem(error);
      button.disabled = false;
      button.focus();
    }
  };

  const offer = async () => {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    waiting = new AbortController();
    const { signal } = waiting;
    try {
      send(await navigator.credentials.get({ publicKey, signal, mediation: "conditional" }));
    } catch {
      // Nobody has asked for it: what is wrong, a click on the button will say.
    }
  };

  if (window.PublicKeyCredential) {
    form.addEventListener("submit", (event) => {
      if (event.submitter !== button) return;
      event.preventDefault();
      ask();
    });
    if ("offer" in form.dataset) {
      form.hidden = false;
      offer();
    }
  } else if (!form.hidden) {
    place.textContent = place.dataset.unsupported;
  }
}
