// Conveniences; each page works without them.
const button = (text, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "link";
  made.textContent = text;
  made.addEventListener("click", () => act(made));
  return made;
};

for (const field of document.querySelectorAll("input[data-show]")) {
  const { show, hide } = field.dataset;
  const toggle = button(show, (made) => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    made.textContent = shown ? hide : show;
  });
  toggle.setAttribute("aria-controls", field.id);
  field.after(toggle);
  field.form.addEventListener("submit", () => { field.type = "password"; });
}

for (const place of document.querySelectorAll("[data-copy]")) {
  const { copy, copied, print } = place.dataset;
  if (navigator.clipboard) {
    place.append(button(copy, async (made) => {
      const codes = document.querySelectorAll(".codes code, .key code");
      const lines = Array.from(codes, (code) => code.textContent.trim());
      await navigator.clipboard.writeText(lines.join("\n"));
      made.textContent = copied;
    }));
  }
  if (print) place.append(button(print, () => window.print()));
}

// The wait for another code, second by second; meanwhile there is no button for it.
for (const wait of document.querySelectorAll("[data-seconds]")) {
  const end = Date.now() + 1000 * wait.dataset.seconds;
  const resend = document.querySelector("[name=resend]");
  const [words] = wait.children;
  resend.hidden = true;
  const tick = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    words.textContent = words.textContent.replace(/\d+/, left);
    if (left > 0) return;
    clearInterval(tick);
    resend.hidden = false;
    wait.remove();
  }, 1000);
}

// What makes a trusted browser known again, beside its cookie.
const signals = {
  time_zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
  screen: () => [screen.width, screen.height, screen.colorDepth].join(" "),
};
for (const field of document.querySelectorAll("input[data-signal]")) field.value = signals[field.dataset.signal]();

// Times of day in the browser's own time zone.
for (const time of document.querySelectorAll("time")) {
  const { lang } = document.documentElement;
  time.textContent = new Intl.DateTimeFormat(lang, { timeStyle: "short" }).format(new Date(time.dateTime));
}
