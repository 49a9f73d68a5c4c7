// What the page shows is built as elements and text nodes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(e, attrs, children) {
  for (const [name, value] of Object.entries(attrs ?? {})) {
    if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return e;
}

export const el = (tag, attrs, ...children) => fill(document.createElement(tag), attrs, children);
export const svg = (tag, attrs, ...children) => fill(document.createElementNS(SVG, tag), attrs, children);
export const $ = (id) => document.getElementById(id);

// show makes what is in a place as children say, changing only what differs: focus,
// selection and scrolling stay where they are while the page is refreshed.
export function show(place, ...children) {
  const next = place.cloneNode(false);
  next.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  morphChildren(place, next);
}

function same(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.dataset?.key ?? "") === (b.dataset?.key ?? "");
}

function morphChildren(old, next) {
  let at = old.firstChild;
  for (const want of [...next.childNodes]) {
    let found = at;
    while (found && !same(found, want)) found = found.nextSibling;
    if (!found) {
      old.insertBefore(want, at);
      continue;
    }
    while (at !== found) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
    morph(found, want);
    at = found.nextSibling;
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function morph(old, next) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // What a person opened stays open.
    if (!next.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, next);
}

// table is a table with a caption for those who do not see where it stands. On a
// phone its rows become blocks, in which each cell says what it is.
export function table(caption, heads, rows, attrs) {
  return el("table", attrs,
    el("caption", { class: "unseen" }, caption),
    el("thead", null, el("tr", null, heads.map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", null, rows.map((row) => el("tr", { "data-key": row.key, class: row.class },
      row.cells.map((c, i) => (i === 0 ? el("th", { scope: "row" }, c) : el("td", { "data-head": heads[i] }, c)))))));
}

export const button = (text, act, attrs) => el("button", { type: "button", "data-act": act, ...attrs }, text);
export const notice = (kind, ...text) => el("p", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : null }, ...text);
