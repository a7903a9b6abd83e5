// What is wrong with the page for someone who reads, sees or points differently, beyond what axe-core finds: the house's
// own rules, and what axe-core only guesses at. Names are those the browser gives to assistive technology
// (--enable-blink-features=ComputedAccessibilityInfo).
const faults = [];
const all = selector => [...document.querySelectorAll(selector)];
const seen = element => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
const named = element => `<${element.localName}> ${element.id || element.name || element.textContent.trim().slice(0, 30)}`;

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
return faults;
