// node-redis, as it is, against the nodes that OURO_RESP names, in both protocols.
const assert = require("node:assert");
const { createClient } = require("redis");

async function withProtocol(RESP) {
  const nodes = await Promise.all(
    process.env.OURO_RESP.split(",").map((a) => createClient({ url: `redis://${a}`, RESP, disableOfflineQueue: true }).connect()),
  );
  const [one, , last] = nodes;
  const key = `node-redis:${RESP}:${Date.now()}:`;
  assert.equal(await one.ping(), "PONG");
  assert.equal(await one.set(key, "hello", { EX: 100 }), "OK");
  assert.equal(await last.get(key), "hello");
  assert.equal(await one.ttl(key), 100);
  assert.equal(await one.set(key, "no", { NX: true }), null);
  assert.equal(await one.set(key, "again", { XX: true, KEEPTTL: true, GET: true }), "hello");
  assert.equal(await one.getEx(key, { type: "PERSIST" }), "again");
  assert.equal(await one.ttl(key), -1);
  assert.equal(await one.expire(key, 50, "NX"), 1);
  assert.equal(await one.getDel(key), "again");
  assert.equal(await one.get(key), null);
  assert.deepEqual(await one.mGet([key, key + "none"]), [null, null]);

  assert.equal(await one.incrBy(key + "c", 41), 41);
  assert.equal(await last.incr(key + "c"), 42);
  assert.equal(Number(await one.incrByFloat(key + "f", 1.5)), 1.5);

  assert.equal(await one.hSet(key + "h", { a: "1", b: "2" }), 2);
  assert.deepEqual({ ...(await last.hGetAll(key + "h")) }, { a: "1", b: "2" });
  assert.equal(await one.hIncrBy(key + "h", "a", 5), 6);
  const fields = {};
  for await (const page of one.hScanIterator(key + "h")) {
    for (const { field, value } of page) fields[field] = value;
  }
  assert.deepEqual(fields, { a: "6", b: "2" });

  assert.equal(await one.sAdd(key + "s", ["x", "y"]), 2);
  assert.equal(await last.sRem(key + "s", "y"), 1);
  assert.deepEqual([...(await one.sMembers(key + "s"))], ["x"]);

  assert.equal(await one.zAdd(key + "z", [{ score: 2, value: "b" }, { score: 1, value: "a" }]), 2);
  assert.equal(await one.zAdd(key + "z", { score: 3, value: "a" }, { CH: true }), 1);
  assert.deepEqual(await last.zRangeWithScores(key + "z", 0, -1), [{ value: "b", score: 2 }, { value: "a", score: 3 }]);

  const piped = await Promise.all(Array.from({ length: 100 }, (_, i) => one.set(`${key}p${i}`, String(i))));
  assert.ok(piped.every((v) => v === "OK"));
  const found = [];
  for await (const page of one.scanIterator({ MATCH: key + "p*", COUNT: 50 })) found.push(...page);
  assert.equal(found.length, 100);
  assert.equal(new Set(found).size, 100);
  const hashes = [];
  for await (const page of one.scanIterator({ MATCH: key + "*", TYPE: "hash" })) hashes.push(...page);
  assert.deepEqual(hashes, [key + "h"]);

  for (const args of [["MULTI"], ["EVAL", "return 1", "0"], ["LPUSH", "k", "v"], ["XADD", "k", "*", "f", "v"], ["SPOP", "k"]]) {
    await assert.rejects(one.sendCommand(args), (err) => {
      if (RESP === 3) console.log(`skipped ${args[0]}: ${err.message}`);
      return err.message.includes("is not supported: ");
    });
  }
  await Promise.all(nodes.map((n) => n.close()));
}

withProtocol(2)
  .then(() => withProtocol(3))
  .then(() => console.log("node-redis: every case passed"))
  .catch((err) => {
    console.error(err);
    process.exit(1);
  });
