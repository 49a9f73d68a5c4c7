// What moves between nodes, what this one keeps for others, and how far it agrees
// with them.
import { $, el, notice, show, table } from "./dom.js";
import { ago, plural, size, span } from "./text.js";
import { draws, state } from "./state.js";

const MOST = 20; // transfers that are listed

const failure = (what, at) => (what ? `${what}, ${ago(at)} ago` : "–");

function transfers(c) {
  const all = c.transfers ?? [];
  if (!c.moving && !c.waiting && !all.length) return el("p", null, "Nothing moves.");
  return [
    el("p", null, `${plural(c.moving, "partition")} under way, ${c.waiting} to begin; ${all.length} of them to or from this node.`),
    all.length > 0 && table("Transfers to and from this node", ["Partition", "From → to", "Why", "Age", "State", "Brought", "Last failure"], all.slice(0, MOST).map((t) => ({
      key: `${t.partition}`,
      cells: [`${t.partition}`, `${t.from || "–"} → ${t.to || "–"}`, t.why, ago(t.since), t.running ? "running" : "waiting", `${plural(t.keys, "key")}, ${size(t.bytes)}`, failure(t.error, t.error_at)],
    }))),
    all.length > MOST && el("p", { class: "quiet" }, `and ${all.length - MOST} more: ouro cluster status -o json lists them all`),
  ];
}

function hints(h) {
  const targets = h.targets ?? [];
  if (!targets.length) return el("p", null, "Nothing is kept for others.");
  return [
    el("p", null, `${size(h.bytes)} of ${size(h.max_bytes)} in use for what others are owed.`),
    table("What is kept for other nodes", ["For", "Records", "Bytes", "Oldest", "Last failure"], targets.map((t) => ({
      key: t.target,
      cells: [t.target, `${t.records}`, size(t.bytes), t.oldest ? ago(t.oldest) : "–", failure(t.error, t.error_at)],
    })), { class: "few" }),
  ];
}

function agreement(r) {
  const peers = r.peers ?? [];
  if (!peers.length) return el("p", null, "Nobody else holds what this node holds.");
  const never = peers.filter((p) => p.never > 0).map((p) => `${p.never} of ${p.partitions} with ${p.peer}`);
  return [
    el("p", null, never.length ? `Partitions that were not compared yet since the start, ${span(r.since_agreed_seconds)} ago: ${never.join(", ")}.`
      : `Every partition agreed with every other replica of it at most ${span(r.since_agreed_seconds)} ago.`),
    peers.filter((p) => p.error).map((p) => notice("warn", `Last failure with ${p.peer}: ${failure(p.error, p.error_at)}.`)),
  ];
}

draws(() => {
  const c = state.cluster;
  show($("flow"),
    (c?.waits ?? []).map((w) => notice("warn", w)),
    el("h3", null, "Moves"), c ? transfers(c) : el("p", { class: "quiet" }, "Asking …"),
    el("h3", null, "Hints"), state.hints ? hints(state.hints) : el("p", { class: "quiet" }, "Asking …"),
    el("h3", null, "Agreement"), state.repair ? agreement(state.repair) : el("p", { class: "quiet" }, "Asking …"));
});
