// A browser without a screen: cookies, redirects, and forms that are filled in by the names of their fields.

const decode = (text) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, decimal, hex, name) =>
    name ? ({ amp: "&", lt: "<", gt: ">", quot: '"' }[name] ?? all) : String.fromCodePoint(decimal ?? `0x${hex}`),
  );

const attributes = (tag) =>
  Object.fromEntries([...tag.matchAll(/\s([\w-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [name, decode(value ?? "")]));

export class Browser {
  #cookies = new Map();

  // Goes on to the first page; or to `destination`, which is not opened but returned as the page's address.
  async open(address, destination, form) {
    let url = new URL(address);
    for (let hops = 0; hops < 10; hops++) {
      if (url.href.startsWith(destination)) return { url };
      const cookie = [...this.#cookies].map((pair) => pair.join("=")).join("; ");
      const answer = await fetch(url, {
        method: form ? "POST" : "GET",
        body: form,
        redirect: "manual",
        headers: { cookie, origin: url.origin },
      });
      for (const set of answer.headers.getSetCookie()) {
        const [name, value] = set.split(";")[0].split(/=(.*)/s);
        this.#cookies.set(name, value);
      }
      const location = answer.headers.get("location");
      if (!location) return this.#page(url, answer.status, await answer.text());
      url = new URL(location, url);
      form = undefined;
    }
    throw new Error(`no end of redirects at ${url}`);
  }

  #page(url, status, html) {
    const step = html.match(/<main data-step="([^"]*)"/)?.[1];
    const [form] = html.match(/<form[\s\S]*?<\/form>/) ?? [];
    return { url, status, step, html, form };
  }

  // Fills in the page's form and presses the button that goes on, which is the first.
  async submit(page, fields, destination) {
    const [, opening] = page.form.match(/<form([^>]*)>/);
    const inputs = [...page.form.matchAll(/<input([^>]*)>/g)].map(([, tag]) => attributes(tag));
    const button = attributes(page.form.match(/<button([^>]*)>/)[1]);
    const form = new URLSearchParams(inputs.map(({ name, value }) => [name, value ?? ""]));
    for (const [name, value] of Object.entries(fields)) {
      if (!form.has(name)) throw new Error(`no field ${name} in the step ${page.step} at ${page.url}`);
      form.set(name, value);
    }
    if (button.name) form.set(button.name, button.value ?? "");
    return this.open(new URL(attributes(opening).action, page.url), destination, form);
  }
}
