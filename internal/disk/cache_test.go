package disk

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// A cache answers with what was put last, or not at all, and stays in bounds.
func TestCacheTellsNothingOld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{0, 1 << 10, 4 << 10, 64 << 10}).Draw(t, "limit")
		c := newCache(limit)
		truth := map[string][]byte{}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			k := rapid.IntRange(0, 40).Draw(t, "key")
			key, hash := fmt.Append(nil, "key", k), uint64(k%5)
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				c.drop(hash, key)
				delete(truth, string(key))
			case 1:
				c.clear()
				clear(truth)
			case 2, 3, 4:
				record := bytes.Repeat([]byte{byte(k)}, rapid.IntRange(0, 3000).Draw(t, "size"))
				c.put(hash, key, record)
				truth[string(key)] = record
			default:
				if got := c.get(hash, key); got != nil && !bytes.Equal(got.record, truth[string(key)]) {
					t.Fatalf("%s: %d bytes, want %d", key, len(got.record), len(truth[string(key)]))
				} else if _, put := truth[string(key)]; got != nil && !put {
					t.Fatalf("%s was never put, or dropped", key)
				}
			}
			held := 0
			for _, s := range c.slots {
				held += len(s.key) + len(s.record)
			}
			if held != c.bytes || c.bytes > max(limit, 0) {
				t.Fatalf("counts %d bytes, holds %d, may hold %d", c.bytes, held, limit)
			}
		}
	})
}

func TestCacheKeepsWhatIsHot(t *testing.T) {
	c := newCache(64 << 10)
	hot := []byte("hot")
	c.put(0, hot, make([]byte, 1000))
	for i := range 1000 {
		c.put(uint64(i), fmt.Append(nil, "cold", i), make([]byte, 1000))
		if c.get(0, hot) == nil {
			t.Fatalf("the record used at every step was given up after %d others", i)
		}
	}
}

func TestCacheWantsASecondMiss(t *testing.T) {
	c := newCache(64 << 10)
	if c.wants(7) {
		t.Error("wanted at its first miss")
	}
	if !c.wants(7) {
		t.Error("not wanted at its second")
	}
}

func TestCacheTakesNoRecordLargerThanAQuarter(t *testing.T) {
	c := newCache(4 << 10)
	key := []byte("k")
	c.put(1, key, make([]byte, 100))
	c.put(1, key, make([]byte, 4000))
	if got := c.get(1, key); got != nil {
		t.Errorf("%d bytes are kept", len(got.record))
	}
}
