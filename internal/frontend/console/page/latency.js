// How long client requests took at this node, over the last minute or since the page
// was opened: the node counts into buckets, the page takes differences.
import { $, el, show, svg, table } from "./dom.js";
import { plural, span } from "./text.js";
import { draws, state } from "./state.js";

const KEEP = 60; // seconds
const samples = [];

// sample takes what the node has counted so far.
export function sample(l) {
  const now = performance.now() / 1000;
  samples.push({ at: now, l });
  while (samples.length > 2 && samples[1].at < now - KEEP) samples.shift();
}

// between returns the counts of each bucket between two samples.
function between(before, after) {
  const each = after.map((n, i) => n - before[i]);
  if (each[each.length - 1] < 0) return after.map((n, i) => n - (after[i - 1] ?? 0)); // the node began anew
  return each.map((n, i) => n - (each[i - 1] ?? 0));
}

// quantile is the upper bound of the bucket in which it lies.
function quantile(counts, bounds, p) {
  const all = counts.reduce((a, b) => a + b, 0);
  let left = Math.ceil(all * p);
  if (all === 0) return "–";
  for (let i = 0; i < counts.length; i++) {
    left -= counts[i];
    if (left <= 0) return i < bounds.length ? `≤ ${span(bounds[i])}` : `> ${span(bounds[bounds.length - 1])}`;
  }
  return "–";
}

function bars(verb, counts, bounds) {
  if (!counts.some((n) => n > 0)) return "–";
  const most = Math.max(1, ...counts), wide = 200 / counts.length;
  return svg("svg", { viewBox: "0 0 200 32", class: "bars", role: "img", "aria-label": `Latencies of ${verb}: half within ${quantile(counts, bounds, 0.5)}, 99 of 100 within ${quantile(counts, bounds, 0.99)}` },
    counts.map((n, i) => svg("rect", { x: i * wide + 0.5, width: wide - 1, y: 32 - Math.max(n ? 1.5 : 0.5, (n / most) * 30), height: Math.max(n ? 1.5 : 0.5, (n / most) * 30) },
      svg("title", null, `${n} ${i < bounds.length ? `up to ${span(bounds[i])}` : "above"}`))));
}

// stale says how often reads elsewhere miss a write: with r=w=1, and as usual here.
function stale(s, usual) {
  if (!s || s.lacks) return null;
  const percent = (share) => (share === 0 ? "none" : `${(share * 100).toPrecision(2)} %`);
  const pair = (r, w) => {
    const p = s.predicted.find((q) => q.r === r && q.w === w);
    if (!p) return null;
    const then = p.stale[0] === 0 ? "" : `, and 99 of 100 see it after ${span(p.visible_99_seconds)}`;
    return `r=${r} w=${w}: ${percent(p.stale[0])}${then}`;
  };
  const told = [...new Set([pair(1, 1), usual && pair(usual.r, usual.w)])].filter(Boolean);
  const sum = (all) => all.reduce((a, b) => a + b, 0);
  const reads = sum((s.canary?.pairs ?? []).map((p) => sum(p.reads))), missed = sum((s.canary?.pairs ?? []).map((p) => sum(p.stale)));
  return el("p", { class: "quiet", id: "stale" }, `Reads at another node that are predicted to miss a write that was just acknowledged. ${told.join("; ")}.`,
    s.canary && ` Of its canary's ${plural(reads, "read")}, with all r and w, ${missed} did.`);
}

draws(() => {
  if (samples.length === 0) return;
  const first = samples[0], last = samples[samples.length - 1];
  const seconds = Math.max(last.at - first.at, 1);
  const rows = last.l.verbs.map((v, i) => {
    const old = first.l.verbs[i];
    const counts = between(old.answered, v.answered), failed = between(old.failed, v.failed).reduce((a, b) => a + b, 0);
    const rate = counts.reduce((a, b) => a + b, 0) / seconds;
    return { key: v.verb, cells: [v.verb, rate < 10 ? rate.toFixed(1) : Math.round(rate).toString(), ...[0.5, 0.99, 0.999].map((p) => quantile(counts, last.l.bounds, p)), `${failed}`, bars(v.verb, counts, last.l.bounds)] };
  });
  show($("latency"),
    table("Latencies of client requests", ["Verb", "A second", "p50", "p99", "p99.9", "Failed", "Spread, 0.1 ms to 60 s"], rows),
    el("p", { class: "quiet" }, `Requests that clients sent to this node, over the last ${span(Math.min(seconds, KEEP))}. ${state.status?.in_flight ?? 0} in flight now.`),
    stale(state.staleness, state.status?.defaults));
});
