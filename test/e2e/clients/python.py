"""redis-py, as it is, against the nodes that OURO_RESP names, in both protocols."""

import os
import time

import redis


def run(protocol):
    nodes = [redis.Redis(host=a.rpartition(":")[0], port=int(a.rpartition(":")[2]), protocol=protocol, decode_responses=True) for a in os.environ["OURO_RESP"].split(",")]
    one, last = nodes[0], nodes[-1]
    key = f"redis-py:{protocol}:{time.time_ns()}:"
    assert one.ping()
    assert one.set(key, "hello", ex=100)
    assert last.get(key) == "hello" and one.ttl(key) == 100
    assert one.set(key, "no", nx=True) is None
    assert one.set(key, "again", xx=True, keepttl=True, get=True) == "hello"
    assert one.getex(key, persist=True) == "again" and one.ttl(key) == -1
    assert one.expire(key, 50, nx=True) and one.getdel(key) == "again"
    assert one.incrby(key + "c", 41) == 41 and last.incr(key + "c") == 42
    assert one.incrbyfloat(key + "f", 1.5) == 1.5
    assert one.hset(key + "h", mapping={"a": 1, "b": 2}) == 2
    assert last.hgetall(key + "h") == {"a": "1", "b": "2"}
    assert dict(one.hscan_iter(key + "h")) == {"a": "1", "b": "2"}
    assert one.sadd(key + "s", "x", "y") == 2 and last.srem(key + "s", "y") == 1
    assert one.smembers(key + "s") == {"x"}
    assert one.zadd(key + "z", {"b": 2, "a": 1}) == 2 and one.zadd(key + "z", {"a": 3}, ch=True) == 1
    assert [m for m, *_ in [tuple(x) for x in last.zrange(key + "z", 0, -1, withscores=True)]] == ["b", "a"]

    pipe = one.pipeline(transaction=False)
    for i in range(500):
        pipe.set(f"{key}p{i}", i).get(f"{key}p{i}")
    answers = pipe.execute()
    assert answers == [v for i in range(500) for v in (True, str(i))]
    found = list(one.scan_iter(match=key + "p*", count=50))
    assert len(found) == 500 == len(set(found))

    for what, args in (("pipeline with a transaction", None), ("LPUSH", ("LPUSH", "k", "v")), ("EVAL", ("EVAL", "return 1", "0")), ("SUBSCRIBE", ("SUBSCRIBE", "c"))):
        try:
            one.pipeline().set(key, 1).execute() if args is None else one.execute_command(*args)
        except redis.ResponseError as err:
            assert "is not supported: " in str(err), err
            if protocol == 3:
                print(f"skipped {what}: {err}")
        else:
            raise AssertionError(f"{what} was carried out")
    for n in nodes:
        n.close()


for p in (2, 3):
    run(p)
print("redis-py: every case passed")
