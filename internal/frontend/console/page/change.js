// Changing the ring: a change is staged at this node, looked at as a plan, and
// committed under the plan's version.
import { $, button, el, notice, show, table } from "./dom.js";
import { plural, size, span } from "./text.js";
import { call, get, send } from "./api.js";
import { changed, doing, draws, state } from "./state.js";

const form = $("change");

function fields() {
  const verb = form.verb.value;
  for (const label of form.querySelectorAll("[data-for]")) {
    const needed = label.dataset.for.split(" ").includes(verb);
    label.hidden = !needed;
    const input = label.querySelector("input");
    input.disabled = !needed;
    if (input.name === "addr" || input.name === "by") input.required = needed && (verb === "join" || input.name === "by");
    if (input.name === "weight") input.required = verb === "reweigh";
  }
}
form.verb.addEventListener("change", fields);
fields();

// prefill fills the form in for a node that is to join.
export function prefill(node) {
  form.verb.value = "join";
  fields();
  form.node.value = node.id;
  form.addr.value = node.peer;
  form.zone.value = node.zone ?? "";
  form.querySelector('[type="submit"]').focus();
}

// stage stages changes and shows the plan of all that is staged.
export function stage(changes) {
  doing("change", "stage", async () => {
    state.plan = await send("POST", "admin/v1/cluster/changes", { changes });
    requestAnimationFrame(() => $("plan-title")?.focus());
  });
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  const change = { verb: form.verb.value };
  for (const name of ["node", "by", "addr", "zone"]) if (!form[name].disabled && form[name].value) change[name] = form[name].value.trim();
  if (!form.weight.disabled && form.weight.value) change.weight = Number(form.weight.value);
  stage([change]);
});

// staged looks for a plan that this node has, from an earlier visit or the command line.
export async function staged() {
  const wanted = state.cluster?.staged?.length ?? 0;
  if (wanted === 0) state.plan = null;
  else if (!state.busy.has("stage") && state.plan?.changes?.length !== wanted) state.plan = await get("admin/v1/cluster/plan");
}

function cost(p) {
  let text = `${p.moved} of ${plural(p.tokens, "partition")} change their first owner (at least ${p.least} must); ${plural(p.copies, "replica")} made`;
  if (p.bytes >= 0) text += `, about ${size(p.bytes)}`;
  if (p.seconds >= 0) text += `, ${span(p.seconds)} at the rate set`;
  return text + ".";
}

function after(m) {
  const by = m.after - m.before;
  return by === 0 ? `${m.after}` : `${m.after} (${by > 0 ? "+" : "−"}${Math.abs(by)})`;
}

function plan(p) {
  return [
    el("h3", { id: "plan-title", tabindex: "-1" }, "The plan"),
    el("ol", null, p.changes.map((c) => el("li", null, c))),
    el("p", null, cost(p)),
    table("Partitions of each node before and after", ["Node", "Weight", "Partitions now", "Then"],
      p.members.map((m) => ({ key: m.id, cells: [m.id, `${m.weight}`, `${m.before}`, after(m)] })), { class: "few" }),
    (p.warnings ?? []).map((w) => notice("warn", w)),
    el("details", null, el("summary", null, "What is promised meanwhile"), el("ul", null, p.guarantees.map((g) => el("li", null, g)))),
    el("div", { class: "row" },
      button(`Commit at version ${p.version}`, "commit", { class: "main", disabled: state.busy.has("commit") }),
      button("Forget it", "unstage", { disabled: state.busy.has("commit") })),
  ];
}

draws(() => {
  const s = state.said.change;
  show($("plan"), s && notice(s.kind, s.text), state.busy.has("stage") && notice("", "Asking for the plan …"), state.plan?.changes?.length ? plan(state.plan) : null);
});

export const acts = {
  commit() {
    doing("change", "commit", async () => {
      try {
        const done = await send("POST", "admin/v1/cluster/commit", { version: state.plan.version });
        state.plan = null;
        state.cluster.staged = [];
        form.reset();
        fields();
        return `Committed: ${done.changes.join("; ")}. The history is at version ${done.version}; what moves is below.`;
      } catch (e) {
        // Others changed the history: the plan is made anew, to be looked at again.
        if (e.status === 409) state.plan = await get("admin/v1/cluster/plan");
        throw e;
      }
    });
  },
  unstage() {
    doing("change", "commit", async () => {
      await call("DELETE", "admin/v1/cluster/changes");
      state.plan = null;
      state.cluster.staged = [];
      changed();
      return "Nothing is staged any more.";
    });
  },
};
