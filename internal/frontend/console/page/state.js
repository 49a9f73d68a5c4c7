// What the page knows, and how it keeps to it. Whoever changes it calls changed.

export const state = {
  status: null, // of the node, as /admin/v1/status says
  cluster: null,
  ring: null,
  hints: null,
  repair: null,
  staleness: null,
  dev: null, // of a dev cluster
  nodev: false, // it is none
  plan: null,
  key: null, // the key that was looked up, see keys.js
  picked: new Set(), // nodes to be broken
  busy: new Set(), // actions under way
  trouble: "", // why the node was not heard, or ""
  said: {}, // by part of the page, what came of the last action there: { kind, text }
  live: true,
  refresh: () => {}, // asks the node at once, see app.js
};

const parts = [];

// draws lets a part of the page be drawn whenever something has changed.
export const draws = (draw) => parts.push(draw);

let asked = false;

// changed has the page drawn anew, once for all that changes in one go.
export function changed() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    for (const draw of parts) draw();
  });
}

// doing runs an action that a person asked for in a part of the page, once at a time,
// and says there what came of it.
export async function doing(where, name, action) {
  if (state.busy.has(name)) return;
  state.busy.add(name);
  delete state.said[where];
  changed();
  try {
    const text = await action();
    if (text) state.said[where] = { kind: "good", text };
  } catch (e) {
    state.said[where] = { kind: "bad", text: e.message };
  } finally {
    state.busy.delete(name);
    changed();
    state.refresh();
  }
}

// colourOf numbers nodes for their colours, the same on every node's page.
export function colourOf(id) {
  const ids = (state.cluster?.members ?? state.status?.members ?? []).map((m) => m.id);
  ids.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const at = ids.indexOf(id);
  return at < 0 ? "none" : `n${at % 10}`;
}
