// The nodes: who is there, what each holds, how it answers; and of a dev cluster how
// its processes are, and the ways to break them.
import { $, button, el, notice, show, table } from "./dom.js";
import { byID, span } from "./text.js";
import { get, send } from "./api.js";
import { changed, colourOf, doing, draws, state } from "./state.js";
import { prefill, stage } from "./change.js";

// everybody is each node that this one, or the dev cluster, knows of.
function everybody() {
  const all = new Map();
  for (const m of state.status?.members ?? []) all.set(m.id, { id: m.id, seen: m });
  for (const m of state.cluster?.members ?? []) all.set(m.id, { ...all.get(m.id), id: m.id, member: m });
  for (const p of state.dev?.nodes ?? []) if (p.state !== "gone") all.set(p.id, { ...all.get(p.id), id: p.id, process: p });
  return [...all.values()].sort(byID);
}

// states says how a node is: a word and how bad it is.
function states(n) {
  const list = [];
  const add = (kind, text) => list.push(el("span", { class: `state ${kind}` }, text));
  if (n.process && n.process.state !== "running") add("bad", n.process.state);
  if (n.member && n.member.state !== "member") add("warn", n.member.state);
  if (!n.member && n.process) add("warn", "not a member");
  if (n.seen?.self) add("good", "this node");
  else if (n.seen) add(n.seen.up ? "good" : "bad", n.seen.up ? "linked" : "no link from here");
  if (n.seen?.suspected?.length) add("bad", `silent: ${n.seen.suspected.join(", ")}`);
  if (n.seen?.late) add("warn", "late");
  for (const f of n.process?.faults ?? []) add("warn", f);
  return el("span", { class: "states" }, list);
}

function share(n) {
  if (!n.member) return "–";
  const q = state.ring?.q || 1;
  const { holds, target } = n.member;
  return el("span", { class: "share" },
    el("meter", { min: 0, max: q, value: holds, class: colourOf(n.id), "aria-label": `${n.id} holds ${holds} of ${q} partitions` }),
    holds === target ? `${holds}` : `${holds} → ${target}`);
}

const p95 = (s) => (s ? span(s) : "–");

function name(n) {
  const admin = n.process?.admin;
  const page = admin && n.process.state === "running" && !n.seen?.self ? el("a", { href: `http://${admin}/`, title: `The page of ${n.id}` }, n.id) : n.id;
  const pick = n.process && el("input", { type: "checkbox", "data-act": "pick", "data-node": n.id, "aria-label": `Select ${n.id}` });
  return [pick, el("i", { class: `dot ${colourOf(n.id)}`, "aria-hidden": "true" }), page];
}

function actions(n) {
  if (n.member && state.cluster.members.length > 1) {
    return n.member.state === "leaving" ? "leaving" : button("Leave …", "leave", { "data-node": n.id, "aria-label": `Let ${n.id} leave: show the plan` });
  }
  if (n.process && !n.member && n.process.state === "running") {
    return [button("Join …", "join", { "data-node": n.id, "aria-label": `Let ${n.id} join` }),
      " ", button("Retire", "retire", { "data-node": n.id, "aria-label": `Stop ${n.id} for ever` })];
  }
  return "";
}

const BREAK = [
  ["kill", "Kill", "kill -9"], ["start", "Start", "start what is dead"], ["pause", "Pause", "stop without ending"], ["resume", "Resume", "let go on"],
  ["cut", "Cut off", "part the selected from all others"], ["slow", "Slow", "200 ms later at all others"], ["heal", "Heal", "take cuts and delays back"],
];

function breaking() {
  if (!state.dev) return null;
  const picked = [...state.picked].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return el("fieldset", null,
    el("legend", null, "Break it"),
    el("p", { class: "quiet" }, picked.length ? `Selected: ${picked.join(", ")}.` : "Select nodes above. Heal without any heals all."),
    el("div", { class: "row" },
      BREAK.map(([verb, text, title]) => button(text, "break", { "data-verb": verb, title, disabled: state.busy.has("break") || (!picked.length && verb !== "heal") })),
      button("Start one more node", "spawn", { disabled: state.busy.has("break") })));
}

function said() {
  const s = state.said.nodes;
  return state.busy.has("break") ? notice("", "Working …") : s && notice(s.kind, s.text);
}

draws(() => {
  const nodes = everybody();
  if (!nodes.length) return;
  const heads = ["Node", "State", "Holds", "Reads p95", "Writes p95", ""];
  show($("nodes"), table("Nodes of the cluster", heads, nodes.map((n) => ({
    key: n.id, class: n.seen?.self ? "self" : null,
    cells: [name(n), states(n), share(n), p95(n.seen?.read_p95_seconds), p95(n.seen?.write_p95_seconds), actions(n)],
  }))));
  show($("break"), breaking(), said());
  for (const box of document.querySelectorAll('[data-act="pick"]')) box.checked = state.picked.has(box.dataset.node);
  show($("members"), nodes.map((n) => el("option", { value: n.id, "data-key": n.id })));
});

const number = (id) => Number(id.slice(1));

const DONE = { kill: "killed", start: "started", pause: "paused", resume: "resumed", cut: "cut off", slow: "slowed", heal: "healed" };

async function command(order) {
  state.dev = await send("POST", "admin/v1/dev/cluster", { nodes: [], ...order }, { timeout: 65000 });
}

export const acts = {
  pick(e) {
    if (e.checked) state.picked.add(e.dataset.node);
    else state.picked.delete(e.dataset.node);
    changed();
  },
  break(e) {
    const verb = e.dataset.verb, ids = [...state.picked];
    const own = ids.includes(state.status?.node) && (verb === "kill" || verb === "pause");
    doing("nodes", "break", async () => {
      if (own) state.said.nodes = { kind: "", text: `${state.status.node} is the node that this page came from: open another's to bring it back.` };
      await command({ verb, nodes: ids.map(number), ...(verb === "slow" ? { by: 200e6 } : {}) });
      return `${ids.join(", ") || "All nodes"} ${DONE[verb]}.`;
    });
  },
  spawn() {
    doing("nodes", "break", async () => {
      const before = new Set(state.dev.nodes.map((n) => n.id));
      await command({ verb: "spawn" });
      const fresh = state.dev.nodes.find((n) => !before.has(n.id));
      prefill(fresh);
      return `${fresh.id} runs and waits to be joined: look at the plan, then commit it.`;
    });
  },
  join(e) { prefill(state.dev.nodes.find((n) => n.id === e.dataset.node)); },
  leave(e) { stage([{ verb: "leave", node: e.dataset.node }]); },
  retire(e) {
    doing("nodes", "break", async () => {
      await command({ verb: "retire", nodes: [number(e.dataset.node)] });
      return `${e.dataset.node} was stopped.`;
    });
  },
};

// look asks how the processes of a dev cluster are.
export async function look() {
  if (state.nodev) return;
  try {
    state.dev = await get("admin/v1/dev/cluster");
  } catch (e) {
    if (e.status === 404) state.nodev = true;
    else if (e.status === 0) throw e;
  }
  for (const id of state.picked) if (!state.dev?.nodes.some((n) => n.id === id && n.state !== "gone")) state.picked.delete(id);
}
