// The functional tests that ioredis brought along up to 2.4.0, as they are, against a node.
const fs = require("node:fs");
const path = require("node:path");
const cases = require("./cases");

function child() {
  const Mocha = require("mocha");
  const Redis = require("ioredis");
  Redis.defaultOptions.port = cases.port;
  // The tests begin each with no keys; the node refuses to delete all by one word.
  Redis.prototype.flushall = function (done) {
    const keys = [];
    this.scanStream({ count: 1000 })
      .on("data", (some) => keys.push(...some))
      .on("end", () => (keys.length > 0 ? this.del(keys, done) : done()));
  };
  const dir = path.join(path.dirname(require.resolve("ioredis")), "test");
  const mocha = new Mocha({ timeout: cases.patience, reporter: function () {} });
  mocha.addFile(path.join(dir, "helpers/global.js"));
  for (const file of fs.readdirSync(path.join(dir, "functional"))) mocha.addFile(path.join(dir, "functional", file));
  mocha.loadFiles();
  const all = [];
  const each = (suite, keep) => {
    suite.tests = suite.tests.filter(keep);
    suite.suites.forEach((s) => each(s, keep));
  };
  each(mocha.suite, (test) => all.push(test.fullTitle()));
  if (!cases.wanted) return cases.list(all);
  each(mocha.suite, (test) => cases.wanted.has(test.fullTitle()));
  mocha.suite.afterEach((done) => setTimeout(done, 20)); // what a case throws late is its own

  let now = "", error = "";
  const end = () => now && cases.ended(now, error);
  mocha
    .run(() => (end(), process.exit()))
    .on("test", (test) => {
      end();
      now = test.fullTitle();
      error = "";
      cases.begun(now);
    })
    .on("fail", (_, err) => (error ||= err.message || "failed"));
}

cases.wanted || process.send
  ? child()
  : cases.check("ioredis", __filename, [
      [/^pub\/sub should (?!be able to send quit)|^connection autoResend.*previous subscribes/, "subscribe channel"],
      [/^transaction|with transaction$|^pipeline.*transaction|^watch-exec|^pipeline exec should/, "multi"],
      [/^monitor should (receive|continue)/, "monitor"],
      [/^scripting|custom commands/, "eval script 0"],
      [/^connection autoResend.*correct db|prefixing with multiple keys/, "blpop list 0"],
      [/^pipeline should support key prefixing/, "lpush list element"],
      [/prefixing for sort/, "sort list"],
      [/prefixing for zunionstore/, "zunionstore one 1 other"],
      [/ msetnx /, "msetnx key value"],
      [/^connection should close the connection when timeout/, "", "it wants a network that swallows what is sent to 192.0.0.0"],
    ], 1); // its own servers have fixed ports
