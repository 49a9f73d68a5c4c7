// Runs the own tests of a package, case by case, in processes of their own, and says of
// each that was skipped why. A module for this says, in a process that has a parent, to
// that parent what becomes of each case.
const assert = require("node:assert");
const { fork } = require("node:child_process");
const net = require("node:net");

const nodes = process.env.OURO_RESP.split(",").map((address) => address.split(":"));

/** The port of the node that is tested. It is of this machine. */
exports.port = Number(nodes[0][1]);

/** In a child: how long a case may take, in milliseconds. */
exports.patience = Number(process.env.OURO_PATIENCE);

/** In a child: which cases are asked for. None: it is asked which there are. */
exports.wanted = process.env.OURO_CASES && new Set(JSON.parse(process.env.OURO_CASES));

/** In a child: says something of a case: it was begun, or with an error, "" for none, ended. */
exports.begun = (name) => process.send({ name });
exports.ended = (name, error) => process.send({ name, error: String(error).split("\n")[0] });
/** In a child: says which cases there are. */
exports.list = (all) => process.send({ all }, () => process.exit());

/**
 * What the node answers to a command, in one line.
 */
function ask(command) {
  return new Promise((resolve, reject) => {
    const to = net.connect(exports.port, nodes[0][0], () => to.write(command + "\r\n"));
    let said = "";
    to.on("error", reject).on("close", () => reject(new Error(`no answer to ${command}`)));
    to.on("data", (b) => {
      said += b;
      if (said.includes("\r\n")) {
        resolve(said.split("\r\n")[0]);
        to.destroy();
      }
    });
  });
}

// How long a process may take to start, beside its cases, in milliseconds.
const slack = 10000;

/** Starts a module as a child that hears of cases; resolves once it has ended. */
function child(file, cases, patience, hear) {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_ENV: "test", NODE_NO_WARNINGS: "1", OURO_PATIENCE: patience };
    if (cases) env.OURO_CASES = JSON.stringify(cases);
    const p = fork(file, { env, silent: true });
    let timer, said = "";
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => p.kill("SIGKILL"), patience + slack);
    };
    wait();
    p.stdout.on("data", (b) => (said += b));
    p.stderr.on("data", (b) => (said += b));
    p.on("message", (m) => (wait(), hear(m)));
    p.on("close", () => (clearTimeout(timer), resolve(said.slice(-4000))));
  });
}

/**
 * Runs cases and returns a map of those that failed to what was said. Where a process
 * ends with one, the next goes on behind it.
 */
async function fails(file, cases, patience) {
  const failed = new Map();
  for (let left = cases; left.length > 0; ) {
    const done = new Set();
    let now = left[0];
    const said = await child(file, left, patience, (m) => {
      now = m.name;
      if (m.error !== undefined) {
        done.add(m.name);
        if (m.error) failed.set(m.name, m.error);
      }
    });
    const before = left.length;
    left = left.filter((name) => !done.has(name));
    if (left.length > 0 && (left.includes(now) || left.length === before)) {
      const at = left.includes(now) ? now : left[0];
      failed.set(at, said || "it does not end");
      left = left.filter((name) => name !== at);
    }
  }
  return failed;
}

/**
 * Runs all cases of a module. Skips are [pattern, command]: the node refuses this
 * command, and gives the reason; or [pattern, "", reason]: the case asks for what is
 * not this node's to give, and is not tried. A skipped case that passes is an error.
 * So many of them are tried at a time.
 */
exports.check = async function (title, file, skips, sideBySide) {
  let all;
  const said = await child(file, undefined, 0, (m) => (all = m.all));
  assert(all, said);
  const skipOf = new Map();
  for (const skip of skips) {
    const some = all.filter((name) => !skipOf.has(name) && skip[0].test(name));
    assert(some.length > 0, `${title}: no case is left for ${skip[0]}`);
    some.forEach((name) => skipOf.set(name, skip));
  }
  const wanted = all.filter((name) => !skipOf.has(name));
  let failed = await fails(file, wanted, 10000);
  if (failed.size > 0) {
    for (const [name, error] of failed) console.log(`once more, as it failed: ${name}: ${error}`);
    failed = await fails(file, [...failed.keys()], 10000); // some of them measure time
  }
  for (const [name, error] of failed) console.log(`FAILED ${name}\n${error}`);

  const tried = all.filter((name) => skipOf.has(name) && skipOf.get(name)[1]);
  const parts = Array.from({ length: sideBySide }, (_, i) => tried.filter((_, at) => at % sideBySide === i));
  const refused = new Map((await Promise.all(parts.map((part) => fails(file, part, 200)))).flatMap((m) => [...m]));
  const passed = tried.filter((name) => !refused.has(name));
  for (const name of passed) console.log(`FAILED ${name}: it is skipped, and passes`);

  for (const [name, [, command, reason]] of skipOf) {
    const why = command ? await ask(command) : reason;
    assert(!command || why.startsWith("-"), `${title}: ${name} is skipped for ${command}, which the node takes: ${why}`);
    console.log(`skipped ${name}: ${why.replace(/^-ERR /, "")}`);
  }
  console.log(`${title}'s own tests: ${wanted.length - failed.size} passed, ${skipOf.size} skipped`);
  process.exitCode = failed.size + passed.length > 0 ? 1 : process.exitCode;
};
