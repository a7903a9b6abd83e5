// What is wrong with the page for someone who reads, sees or points differently (WCAG 2.2 AA, as far as a script can tell).
// Names are those the browser gives to assistive technology (--enable-blink-features=ComputedAccessibilityInfo).
const faults = [];
const all = selector => [...document.querySelectorAll(selector)];
const seen = element => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
const named = element => `<${element.localName}> ${element.id || element.name || element.textContent.trim().slice(0, 30)}`;

if (!document.title.trim()) faults.push("no title");
if (!document.documentElement.lang) faults.push("no language");
if (all("h1").length !== 1) faults.push(`${all("h1").length} headings of the first level`);
if (all("main").length !== 1) faults.push(`${all("main").length} main regions`);
if (document.documentElement.scrollWidth > innerWidth) faults.push("scrolls sideways");

const ids = all("[id]").map(element => element.id);
for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) faults.push(`two elements are ${id}`);
for (const attribute of ["aria-describedby", "aria-labelledby", "for"]) {
  for (const element of all(`[${attribute}]`)) {
    for (const id of element.getAttribute(attribute).split(/\s+/).filter(id => !ids.includes(id))) {
      faults.push(`${named(element)}: ${attribute} names ${id}, which is not there`);
    }
  }
}

for (const element of all("a[href], button, input:not([type=hidden]), select, textarea, summary, img, [role=img]")) {
  if (!seen(element)) continue;
  if (!element.computedName && element.getAttribute("alt") !== "") faults.push(`${named(element)}: no name`);
}
for (const element of all("input:not([type=hidden]), select, textarea").filter(seen)) {
  if (![...(element.labels ?? [])].some(seen)) faults.push(`${named(element)}: no label to see`);
}
for (const element of all("[aria-invalid=true]")) {
  if (!element.getAttribute("aria-describedby")) faults.push(`${named(element)}: its error is not tied to it`);
}
// A link inside a sentence may be as high as its line (2.5.8).
for (const element of all("a[href], button, select, input:not([type=hidden], [type=checkbox], [type=radio])")) {
  const box = element.getBoundingClientRect();
  const inSentence = element.localName === "a" && getComputedStyle(element).display === "inline";
  if (seen(element) && !inSentence && (box.width < 24 || box.height < 24)) faults.push(`${named(element)}: too small a target`);
}

const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
const over = colours => { // the colour seen when these are painted one over the other on white
  pixel.fillStyle = "#fff";
  pixel.fillRect(0, 0, 1, 1);
  for (pixel.fillStyle of colours) pixel.fillRect(0, 0, 1, 1);
  return pixel.getImageData(0, 0, 1, 1).data;
};
const luminance = ([red, green, blue]) => {
  const [r, g, b] = [red, green, blue].map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};
for (const element of all("body *").filter(seen)) {
  const speaks = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!speaks || element.closest("svg, :disabled")) continue;
  const grounds = [];
  for (let at = element; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const least = size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5;
  const found = contrast(over([...grounds, style.color]), over(grounds));
  if (found < least) faults.push(`${named(element)}: contrast ${found.toFixed(1)}`);
}
return faults;
