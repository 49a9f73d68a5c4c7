// Asks the node how things are, again and again while somebody looks, and hands
// clicks to what they are about.
import { $, notice, show } from "./dom.js";
import { get } from "./api.js";
import { changed, draws, state } from "./state.js";
import "./ring.js";
import "./flow.js";
import { sample } from "./latency.js";
import * as nodes from "./nodes.js";
import * as change from "./change.js";
import * as keys from "./keys.js";

const OFTEN = 2000, SELDOM = 10000, LONGEST = 30000; // milliseconds

let seldom = 0; // when what changes seldom was asked for last

async function ask() {
  const [status, cluster, latencies] = await Promise.all([get("admin/v1/status"), get("admin/v1/cluster"), get("admin/v1/latencies"), nodes.look()]);
  state.status = status;
  state.cluster = cluster;
  sample(latencies);
  if (state.ring?.hash !== status.ring_hash) state.ring = await get("admin/v1/ring");
  await change.staged();
  if (performance.now() - seldom > SELDOM || seldom === 0) {
    [state.hints, state.repair, state.staleness] = await Promise.all([get("admin/v1/hints"), get("admin/v1/repair"), get("admin/v1/staleness")]);
    seldom = performance.now();
  }
}

let wait = OFTEN, timer = 0, asking = false;

// round asks once and plans the next time: seldom and seldomer while the node does
// not answer, and not at all while nobody looks.
async function round() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  try {
    await ask();
    state.trouble = "";
    wait = OFTEN;
  } catch (e) {
    state.trouble = e.message;
    wait = Math.min(wait * 2, LONGEST) * (0.8 + Math.random() * 0.4);
  }
  asking = false;
  changed();
  if (state.live && !document.hidden) timer = setTimeout(round, wait);
}

state.refresh = round;

document.addEventListener("visibilitychange", () => { if (!document.hidden && state.live) round(); });

// troubles is what somebody should look at, in words.
function troubles() {
  const members = state.status?.members ?? [];
  const list = [];
  const down = members.filter((m) => !m.self && !m.up).map((m) => m.id);
  const silent = members.filter((m) => m.suspected?.length && (m.self || m.up)).map((m) => m.id);
  if (down.length) list.push(`no link to ${down.join(", ")}`);
  if (silent.length) list.push(`${silent.join(", ")} silent`);
  if (state.status?.recovering) list.push("this node recovers");
  return list;
}

draws(() => {
  const s = state.status;
  if (!s) {
    if (state.trouble) show($("notices"), notice("bad", `${state.trouble} Asking again in ${Math.round(wait / 1000)} s.`));
    return;
  }
  document.title = `${s.node} · ${s.cluster} · Ouro`;
  $("cluster").textContent = s.cluster;
  $("sees").textContent = `as ${s.node} sees it · ${s.version} · ${s.engine}`;
  const list = state.trouble ? ["not heard"] : troubles();
  const health = $("health"), text = list.length ? list.join("; ") : "all is well";
  if (health.textContent !== text) health.textContent = text; // so that it is told once
  health.className = list.length ? "bad" : "good";
  const hot = (s.hot_keys?.keys ?? []).filter((k) => k.refused > 0);
  const moved = [...(s.notes ?? []), ...(state.cluster?.notes ?? [])];
  show($("notices"),
    state.trouble && notice("bad", `${state.trouble} What is shown is old. Asking again in ${Math.round(wait / 1000)} s.`),
    moved.map((n) => notice("warn", n)),
    hot.map((k) => notice("warn", `${k.key} is a hot key: it has as many requests under way here as one key may (${s.hot_keys.most}). What is more is refused; the other keys are served.`)));
});

const acts = {
  ...nodes.acts, ...change.acts, ...keys.acts,
  live(e) {
    state.live = !state.live;
    e.setAttribute("aria-pressed", String(state.live));
    e.textContent = state.live ? "Live" : "Paused";
    if (state.live) round();
    else clearTimeout(timer);
  },
};

document.addEventListener("click", (e) => {
  const on = e.target.closest("[data-act]");
  if (on && !on.disabled) acts[on.dataset.act]?.(on);
});

round();
