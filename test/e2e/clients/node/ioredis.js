// ioredis, as it is, against the nodes that OURO_RESP names.
const assert = require("node:assert");
const Redis = require("ioredis");

async function main() {
  const nodes = process.env.OURO_RESP.split(",").map((a) => {
    const [host, port] = a.split(":");
    return new Redis({ host, port: Number(port), maxRetriesPerRequest: 1 });
  });
  const [one, , last] = nodes;
  const key = `ioredis:${Date.now()}:`;
  assert.equal(await one.ping(), "PONG");
  assert.equal(await one.set(key, "hello", "EX", 100), "OK");
  assert.equal(await last.get(key), "hello");
  assert.equal(await one.ttl(key), 100);
  assert.equal(await one.set(key, "no", "NX"), null);
  assert.deepEqual(await one.mget(key, key + "none"), ["hello", null]);
  assert.deepEqual(await one.getBuffer(key), Buffer.from("hello"));
  assert.equal(await one.append(key, "!"), 6);
  assert.equal(await one.exists(key), 1);

  const pipeline = one.pipeline();
  for (let i = 0; i < 100; i++) pipeline.set(`${key}${i}`, i).get(`${key}${i}`);
  const answers = await pipeline.exec();
  answers.forEach(([err, v], i) => assert.deepEqual([err, v], [null, i % 2 ? String((i - 1) / 2) : "OK"]));

  const found = [];
  for await (const keys of one.scanStream({ match: key + "*", count: 50 })) found.push(...keys);
  assert.equal(new Set(found).size, 101);
  assert.equal(found.length, 101);

  assert.equal(await one.del(key, key + "none"), 1);
  assert.equal(await one.get(key), null);
  assert.equal(await one.call("OURO.SET", "w", "3"), "OK");
  for (const [name, ...args] of [["multi"], ["eval", "return 1", "0"], ["lpush", "k", "v"], ["publish", "c", "m"]]) {
    await assert.rejects(one.call(name, ...args), (err) => {
      console.log(`skipped ${name}: ${err.message}`);
      return err.message.includes("is not supported: ");
    });
  }
  nodes.forEach((n) => n.disconnect());
  console.log("ioredis: every case passed");
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
