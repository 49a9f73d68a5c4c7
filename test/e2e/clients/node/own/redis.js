// The tests that node-redis brought along up to 0.10.3, as they are but for address and
// database, against a node.
const fs = require("node:fs");
const path = require("node:path");
const Module = require("node:module");
const cases = require("./cases");

/** The program with what it says replaced, all of which must be there. */
function changed(source, changes) {
  for (const [from, to] of changes) {
    if (!source.includes(from)) throw new Error(`the tests of node-redis do not say ${from}`);
    source = source.replace(from, to);
  }
  return source;
}

function child() {
  const file = path.join(path.dirname(require.resolve("redis")), "test.js");
  process.chdir(path.dirname(file));
  require("node:util").print = (s) => process.stdout.write(s); // of the Node of then
  const redis = require("redis");
  const dial = redis.createClient;
  redis.createClient = (port, host, options) =>
    typeof port === "number" ? dial(port, host, options) : dial(cases.port, host, options || port);
  const tests = new Module(file, null);
  tests.filename = file;
  tests.paths = Module._nodeModulePaths(path.dirname(file));
  let now = "", timer;
  global.ouro = {
    all: (all) => (cases.wanted ? all.filter((name) => cases.wanted.has(name)) : (cases.list(all), [])),
    next: (name) => {
      if (now) cases.ended(now, "");
      now = name;
      if (!now) return cases.wanted && process.exit();
      cases.begun(now);
      clearTimeout(timer);
      timer = setTimeout(() => process.exit(1), cases.patience);
    },
  };
  const run = () =>
    tests._compile(
      changed(fs.readFileSync(file, "utf8"), [
        ["var PORT = 6379;", `var PORT = ${cases.port};`],
        ["test_db_num = 15,", "test_db_num = 0,"], // which FLUSHDB, the first case, chooses for all
        ["all_tests = Object.keys(tests);", "all_tests = ouro.all(Object.keys(tests));"],
        // What a case throws late is its own.
        ["run_next_test = function run_next_test() {", "run_next_test = () => setTimeout(run_case, 20); const run_case = function () {"],
        ["var test_name = all_tests.shift();", "var test_name = all_tests.shift(); ouro.next(test_name);"],
      ]),
      file,
    );
  if (!cases.wanted) return run();
  // They begin with no keys; the node refuses to delete all by one word.
  const first = dial(cases.port);
  first.keys("*", (_, keys) => {
    const go = () => (first.end(), run());
    return keys.length > 0 ? first.del(keys, go) : go();
  });
}

cases.wanted || process.send
  ? child()
  : cases.check("node-redis", __filename, [
      [/^(MULTI_(1|3|4|5|6|8|EXCEPTION_1)|CLIENT_LIST)$/, "multi"],
      [/^WATCH_/, "watch key"],
      [/^FLUSHDB$/, "flushdb"],
      [/^(EVAL_1|SCRIPT_LOAD)$/, "eval script 0"],
      [/^(P?SUB|P?UNSUB_EMPTY|FWD_ERRORS_1|reconnect_select_db_after_pubsub)/, "subscribe channel"],
      [/^(TYPE|SORT)$/, "rpush list element"],
      [/^BLPOP/, "blpop list 0"],
      [/^RENAME/, "rename one other"],
      [/^MSETNX$/, "msetnx key value"],
      [/^SPOP$/, "spop set"],
      [/^SMOVE$/, "smove one other member"],
      [/^S(DIFF|INTER|UNION)STORE$/, "sunionstore one other"],
      [/^MONITOR$/, "monitor"],
      [/^SLOWLOG$/, "config set slowlog-log-slower-than 0"],
      [/^auth2?$/, "", "it wants a server elsewhere, with its password"],
      [/^unref$/, "", "it wants a server at port 6379"],
      [/^select_error_emits_if_no_callback$/, "", "the program ends itself, as passed, at any error of this client"],
    ], 3);
