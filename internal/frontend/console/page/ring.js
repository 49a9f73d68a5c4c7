// The ring as it is: each partition in the colour of its first owner, the nodes
// within, the links of this node, what moves, and where a key lies.
import { $, el, svg, show } from "./dom.js";
import { byID, plural } from "./text.js";
import { colourOf, draws, state } from "./state.js";

const MIDDLE = 200, OUTER = 186, INNER = 148;

function point(turn, radius) {
  const a = turn * 2 * Math.PI - Math.PI / 2;
  return [MIDDLE + radius * Math.cos(a), MIDDLE + radius * Math.sin(a)];
}

const at = (turn, radius) => point(turn, radius).map((v) => v.toFixed(2)).join(" ");

// most is how many nodes have a track of their own on the ring: colours of so many
// narrow partitions side by side could not be told apart. Beyond it all share one.
const most = 10;

// arcs is one path for all partitions of a node, between two radii; neighbours are
// drawn as one.
function arcs(tokens, q, OUTER, INNER) {
  let path = "";
  for (let i = 0; i < tokens.length; ) {
    let j = i + 1;
    while (j < tokens.length && tokens[j] === tokens[j - 1] + 1) j++;
    const from = tokens[i] / q, to = (tokens[j - 1] + 1) / q;
    if (to - from >= 1) return `M${at(0, OUTER)}A${OUTER} ${OUTER} 0 1 1 ${at(0.5, OUTER)}A${OUTER} ${OUTER} 0 1 1 ${at(0, OUTER)}ZM${at(0, INNER)}A${INNER} ${INNER} 0 1 0 ${at(0.5, INNER)}A${INNER} ${INNER} 0 1 0 ${at(0, INNER)}Z`;
    const large = to - from > 0.5 ? 1 : 0;
    path += `M${at(from, OUTER)}A${OUTER} ${OUTER} 0 ${large} 1 ${at(to, OUTER)}L${at(to, INNER)}A${INNER} ${INNER} 0 ${large} 0 ${at(from, INNER)}Z`;
    i = j;
  }
  return path;
}

function places(ids) {
  const radius = ids.length === 1 ? 0 : 94;
  return new Map(ids.map((id, i) => [id, point(i / ids.length, radius)]));
}

function links(members, where) {
  const self = members.find((m) => m.self);
  if (!self) return [];
  return members.filter((m) => !m.self).map((m) => {
    const [x1, y1] = where.get(self.id), [x2, y2] = where.get(m.id);
    return svg("line", { x1, y1, x2, y2, class: m.up ? "link" : "link down", "data-key": m.id });
  });
}

// moves are the transfers under way, one line for each pair of nodes.
function moves(where) {
  const pairs = new Map();
  for (const t of state.cluster?.transfers ?? []) {
    for (const from of t.from.split(" ")) {
      for (const to of t.to.split(" ")) if (where.has(from) && where.has(to)) pairs.set(`${from} ${to}`, [from, to]);
    }
  }
  return [...pairs].map(([key, [from, to]]) => {
    const [x1, y1] = where.get(from), [x2, y2] = where.get(to);
    return svg("line", { x1, y1, x2, y2, class: "move", "data-key": `move ${key}` });
  });
}

function node(m, [x, y], radius) {
  const primary = state.key?.owners?.primaries.includes(m.id);
  return svg("g", { class: `node ${colourOf(m.id)}${m.up || m.self ? "" : " down"}${primary ? " primary" : ""}`, "data-key": `node ${m.id}` },
    svg("circle", { cx: x, cy: y, r: radius }),
    svg("text", { x, y: y + radius * 0.2, "font-size": Math.min(radius * 0.72, (radius * 2.9) / Math.max(m.id.length, 2)) }, m.id));
}

// keyMark shows where the key lies that was looked up.
function keyMark() {
  const position = state.key?.owners?.position;
  if (!position) return null;
  const turn = parseInt(position.slice(0, 8), 16) / 2 ** 32;
  const [x, y] = point(turn, OUTER + 11);
  const angle = (turn * 360).toFixed(1);
  return svg("path", { d: "M-6 -6L6 -6L0 6Z", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${angle})`, class: "key", "data-key": "key" });
}

function tracks(ring) {
  const nodes = [...ring.nodes].sort(byID), own = nodes.length <= most;
  const wide = own ? (OUTER - INNER) / nodes.length : OUTER - INNER;
  return [
    svg("circle", { cx: MIDDLE, cy: MIDDLE, r: (OUTER + INNER) / 2, "stroke-width": OUTER - INNER, class: "rail" }),
    nodes.map((n, i) => {
      const outer = own ? OUTER - i * wide : OUTER;
      return svg("path", { d: arcs(n.tokens ?? [], ring.q, outer, outer - wide), class: `arc ${colourOf(n.id)}`, "data-key": `arc ${n.id}` });
    }),
  ];
}

function words(ring, members) {
  const up = members.filter((m) => m.up || m.self).length;
  const shares = ring.nodes.map((n) => `${n.id} owns ${n.tokens?.length ?? 0}`).join(", ");
  return `Ring of ${plural(ring.q, "partition")}: ${shares}. ${up} of ${plural(members.length, "member")} can be reached from here.`;
}

draws(() => {
  const { ring, status } = state;
  if (!ring || !status) return;
  if (ring.q === 0) {
    show($("ring"), el("p", { class: "quiet" }, "This node is in no cluster yet. Let it join at a member's page; its address for other nodes is what the member asks for."));
    return;
  }
  const members = [...(status.members ?? [])].sort(byID);
  const where = places(members.map((m) => m.id));
  const radius = Math.max(10, Math.min(26, 230 / Math.max(members.length, 1)));
  const moving = state.cluster ? state.cluster.moving + state.cluster.waiting : 0;
  show($("ring"),
    svg("svg", { viewBox: "0 0 400 400", role: "img", "aria-label": words(ring, members) },
      tracks(ring),
      links(members, where), moves(where), members.map((m) => node(m, where.get(m.id), radius)), keyMark()),
    el("p", { class: "quiet" }, `${plural(ring.q, "partition")}, epoch ${ring.epoch}, hash ${ring.hash.slice(0, 8)}. `,
      moving > 0 ? `${plural(moving, "partition")} on the move.` : "Nothing moves.",
      state.key?.owners ? ` The key lies in partition ${state.key.owners.partition}.` : ""));
});
