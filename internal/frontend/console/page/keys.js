// A key: what a get shows and why, writing it, and what each replica holds of it.
import { $, button, el, notice, show, table } from "./dom.js";
import { ago, bytesOf, keyBytes, pathOf, plural, preview, textOf } from "./text.js";
import { call, get, Refusal } from "./api.js";
import { changed, colourOf, doing, draws, state } from "./state.js";

const form = $("key"), editor = $("write");
const MOST = 2000; // characters of a value that are shown

function query(names) {
  const q = new URLSearchParams({ explain: "true" });
  for (const n of names) if (form[n].value) q.set(n, form[n].value);
  return q;
}

// named is the key that the form names.
function named() {
  const bytes = keyBytes(form.key.value, form.percent.checked);
  return { bucket: form.bucket.value, label: `${form.bucket.value}/${preview(bytes, 200)}`, path: pathOf(form.bucket.value, bytes) };
}

// read gets a key, with what the node did for it. That nothing is stored is an answer.
async function read(key) {
  try {
    const { headers, data } = await call("GET", `kv/${key.path}?${query(["r"])}`, { headers: { Accept: "application/json" } });
    return { siblings: data.siblings, context: data.context, typed: data.typed, explain: data.explain, by: headers.get("Ouro-Coordinator"), quorum: headers.get("Ouro-Quorum") };
  } catch (e) {
    if (e.status === 404) return { siblings: [], context: e.data?.context ?? "", explain: e.data?.explain ?? [] };
    throw new Refusal(e.message, e.status, e.data);
  }
}

// replicas asks every primary, and every other node for what it keeps in their stead.
async function replicas(key, owners) {
  const ids = [...owners.primaries, ...(owners.fallbacks ?? []).slice(0, 13)];
  return Promise.all(ids.map(async (id, i) => {
    try {
      return { primary: i < owners.primaries.length, ...(await get(`admin/v1/replica/${key.path}?node=${encodeURIComponent(id)}&most=256`)) };
    } catch (e) {
      return { primary: i < owners.primaries.length, node: id, status: "failed", reason: e.message, versions: [] };
    }
  }));
}

async function lookUp(key) {
  const owners = await get(`admin/v1/owners/${key.path}`);
  const [found, held] = await Promise.allSettled([read(key), replicas(key, owners)]);
  const failed = found.status === "rejected" ? found.reason : null;
  state.key = { key, owners, held: held.value ?? [], found: found.value ?? null, failed };
  if (failed) state.key.found = null;
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  doing("key", "look", async () => {
    editor.value.value = "";
    delete state.said.written;
    await lookUp(named());
    if (state.key.found?.siblings.length === 1) editor.value.value = textOf(bytesOf(state.key.found.siblings[0].value)) ?? "";
  });
});

function value(bytes) {
  const text = textOf(bytes);
  return [
    el("pre", { class: text === null ? "bytes" : null, tabindex: bytes.length > 400 ? "0" : null }, preview(bytes, MOST)),
    el("p", { class: "quiet" }, plural(bytes.length, "byte"), text === null ? ", not text: shown in hexadecimal" : ""),
  ];
}

function sibling(s, i, of) {
  const bytes = bytesOf(s.value);
  return el("li", { "data-key": `sibling ${i}` },
    el("p", { class: "quiet" }, of > 1 ? `Version ${i + 1} of ${of}, ` : "", `${s.content_type}, written ${ago(s.modified)} ago`, s.expires ? `, expires ${s.expires}` : ""),
    value(bytes),
    of > 1 && textOf(bytes) !== null && button("Use this", "use", { "data-index": i, "aria-label": `Use version ${i + 1} for the merged value` }));
}

const explain = (lines) => lines?.length > 0 && el("details", null,
  el("summary", null, "What the node did for it"), el("ol", { class: "explain" }, lines.map((l) => el("li", null, l))));

function answer(k) {
  if (k.failed) return [notice("bad", k.failed.message), explain(k.failed.data?.explain)];
  const { siblings, typed, quorum, by } = k.found;
  const many = siblings.length > 1;
  return [
    many && notice("warn", `${siblings.length} siblings: written without having seen each other. Merge them below.`),
    !siblings.length && !typed && notice("", "Nothing is stored under this key."),
    typed && el("pre", { tabindex: "0" }, JSON.stringify(typed, null, 1)),
    el("ul", { class: "siblings" }, siblings.map((s, i) => sibling(s, i, siblings.length))),
    quorum && el("p", { class: "quiet" }, `Coordinated by ${by}; ${quorum}.`),
    explain(k.found.explain),
  ];
}

function writing(k) {
  const many = k.found?.siblings.length > 1, context = k.found?.context;
  $("write-label").textContent = many ? "Merged value" : "New value";
  const off = state.busy.has("write");
  show($("write-buttons"),
    context && button(many ? "Write the merged value" : "Write in the stead of what is shown", "write", { class: "main", disabled: off }),
    button(context ? "Write beside it" : "Write", "blind", { class: context ? null : "main", disabled: off, title: "without a context: what is there stays, as a sibling" }),
    context && k.found.siblings.length > 0 && button("Delete", "remove", { class: "bad", disabled: off }));
}

const STATUS = { have: "holds it", absent: "holds nothing", dont_know: "may have forgotten", failed: "can't be asked" };

function held(r) {
  if (r.kept && r.status === "have") return "keeps it until a primary has it";
  if (r.status === "have" && r.tombstone) return "holds a tombstone";
  return STATUS[r.status] + (r.reason ? `: ${r.reason}` : "");
}

function versions(r) {
  return r.versions?.length > 0 && el("ul", { class: "versions" }, r.versions.map((v) => el("li", { "data-key": v.dot },
    el("code", { title: v.dot }, `${v.dot.slice(0, 4)}…${v.dot.slice(v.dot.lastIndexOf(".") + 1)}`), " ",
    v.deleted ? "deleted" : el("q", null, preview(bytesOf(v.value), 60)), v.bytes > 256 ? ` ${v.bytes} bytes` : "")));
}

function replicaTable(k) {
  const shown = k.held.filter((r) => r.primary || r.status === "have");
  const primaries = shown.filter((r) => r.primary), told = primaries.filter((r) => r.status === "have" || r.status === "absent");
  const agree = new Set(told.map((r) => r.digest ?? "")).size <= 1;
  const untold = primaries.filter((r) => !told.includes(r)).map((r) => r.node);
  const what = (agree ? "All that can be asked hold the same" : "Replicas differ") + (untold.length ? `; not known of ${untold.join(", ")}.` : ".");
  return [
    el("h3", null, "On each replica"),
    notice(agree && !untold.length ? "good" : "warn", agree && !untold.length ? "All replicas hold the same." : what),
    table(`What each replica holds of ${k.key.label}`, ["Node", "Is", "Holds", "Versions", "Digest"], shown.map((r) => ({
      key: r.node,
      cells: [[el("i", { class: `dot ${colourOf(r.node)}`, "aria-hidden": "true" }), r.node], r.primary ? "primary" : "stand-in", held(r), versions(r) || "–",
        r.digest ? el("code", { title: r.digest }, r.digest.slice(0, 8)) : "–"],
    }))),
  ];
}

draws(() => {
  const s = state.said.key, w = state.said.written, k = state.key;
  editor.hidden = !k || !!k.found?.typed;
  show($("answer"), s && notice(s.kind, s.text), w && notice(w.kind, w.text), explain(k?.wrote),
    state.busy.has("look") && notice("", "Looking …"), k && el("h3", null, k.key.label), k && answer(k));
  if (k) writing(k);
  show($("replicas"), k ? replicaTable(k) : null);
});

// typeOf is the content type that all siblings have; text, as is written here, where
// there is none or they differ.
function typeOf(siblings) {
  const types = new Set((siblings ?? []).map((s) => s.content_type));
  return types.size === 1 && !types.has("") ? [...types][0] : "text/plain";
}

// write puts or deletes, and looks again.
function write(method, context, done) {
  const k = state.key;
  doing("written", "write", async () => {
    const headers = { Accept: "application/json" };
    if (context) headers["Ouro-Context"] = context;
    let body;
    if (method === "PUT") {
      body = new TextEncoder().encode(editor.value.value);
      headers["Content-Type"] = form.type.value || typeOf(k.found?.siblings);
    }
    const { headers: told, data } = await call(method, `kv/${k.key.path}?${query(["w"])}`, { body, headers });
    await lookUp(k.key);
    state.key.wrote = data?.explain;
    return `${done}, coordinated by ${told.get("Ouro-Coordinator")}; ${told.get("Ouro-Quorum")}.`;
  });
}

export const acts = {
  use(e) {
    const text = textOf(bytesOf(state.key.found.siblings[Number(e.dataset.index)].value));
    editor.value.value += (editor.value.value ? "\n" : "") + text;
    editor.value.focus();
    changed();
  },
  write() { write("PUT", state.key.found.context, "Written"); },
  blind() { write("PUT", "", "Written"); },
  remove() { write("DELETE", state.key.found.context, "Deleted"); },
};

editor.addEventListener("submit", (e) => e.preventDefault());
