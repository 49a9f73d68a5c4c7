package disk

import "strings"

// ways is how many records share a set of the cache.
const ways = 4

// cache holds records as they are stored, the ones used last, up to a number of
// bytes. Every operation reads its record first, and looking it up in an engine's
// ordered structures costs many times a look into a table.
//
// What is written is kept at once, since it costs no copy. What is read is kept
// at its second miss: reading a large store once must not push out what is hot.
// A kept record is read as one from disk is, its checksum included. Where the disk's
// copy is found to be unreadable memory may have the last whole one: it stays, and is
// stored anew when the record is healed.
type cache struct {
	slots []kept // sets of ways
	seen  []uint64
	limit int
	bytes int
	hand  int
}

// kept is one record of the cache.
type kept struct {
	key    string // engine key; "": vacant
	record []byte
	used   bool // since the hand last passed
	alone  bool // the disk's copy can't be read, and its leaf may not count the record
}

// newCache makes room for limit bytes of records; 0 or less is no cache at all.
// It is best for records of about a KiB: there is one slot for each.
func newCache(limit int) *cache {
	if limit <= 0 {
		return &cache{}
	}
	sets := 1
	for sets*ways < limit>>10 {
		sets *= 2
	}
	return &cache{slots: make([]kept, sets*ways), seen: make([]uint64, sets), limit: limit}
}

// set returns the slots that a key with this hash may be in.
func (c *cache) set(hash uint64) []kept {
	at := int(hash&uint64(len(c.seen)-1)) * ways
	return c.slots[at : at+ways]
}

// get returns what is kept under key, which is good until something else is put; nil:
// nothing is.
func (c *cache) get(hash uint64, key []byte) *kept {
	s := c.find(hash, key)
	if s != nil {
		s.used = true
	}
	return s
}

func (c *cache) find(hash uint64, key []byte) *kept {
	if c.limit <= 0 {
		return nil
	}
	set := c.set(hash)
	for i := range set {
		if s := &set[i]; s.key == string(key) {
			return s
		}
	}
	return nil
}

// lost notes that the disk's copy of a record can't be read.
func (c *cache) lost(hash uint64, key []byte) {
	if s := c.find(hash, key); s != nil {
		s.alone = true
	}
}

// put keeps a record, which nobody may change from now on.
func (c *cache) put(hash uint64, key, record []byte) {
	size := len(key) + len(record)
	if c.limit <= 0 {
		return
	}
	if size > c.limit/ways {
		c.drop(hash, key)
		return
	}
	s := c.place(hash, key)
	if s.key != string(key) {
		c.bytes -= len(s.key) + len(s.record)
		*s = kept{key: string(key)}
		c.bytes += len(s.key)
	}
	c.bytes += len(record) - len(s.record)
	s.record, s.used, s.alone = record, true, false
	c.shrink()
}

// place returns where key is, or the slot of its set that it may take.
func (c *cache) place(hash uint64, key []byte) *kept {
	set := c.set(hash)
	victim := &set[0]
	for i := range set {
		s := &set[i]
		if s.key == string(key) {
			return s
		}
		if s.key == "" || victim.key != "" && victim.used && !s.used {
			victim = s
		}
	}
	return victim
}

// wants reports whether a record that was read in vain here is worth keeping:
// whether it was the last of its set that missed before.
func (c *cache) wants(hash uint64) bool {
	if c.limit <= 0 {
		return false
	}
	last := &c.seen[hash&uint64(len(c.seen)-1)]
	again := *last == hash
	*last = hash
	return again
}

// drop forgets the record under key.
func (c *cache) drop(hash uint64, key []byte) {
	if s := c.find(hash, key); s != nil {
		c.vacate(s)
	}
}

// dropAll forgets all records whose keys begin with prefix.
func (c *cache) dropAll(prefix string) {
	for i := range c.slots {
		if s := &c.slots[i]; strings.HasPrefix(s.key, prefix) {
			c.vacate(s)
		}
	}
}

func (c *cache) vacate(s *kept) {
	c.bytes -= len(s.key) + len(s.record)
	*s = kept{}
}

// shrink gives up records until they fit: those not used since the hand last
// passed them.
func (c *cache) shrink() {
	for c.bytes > c.limit {
		s := &c.slots[c.hand]
		if c.hand++; c.hand == len(c.slots) {
			c.hand = 0
		}
		if s.key != "" && !s.used {
			c.vacate(s)
		}
		s.used = false
	}
}

// clear forgets everything (RULES R27).
func (c *cache) clear() {
	clear(c.slots)
	c.bytes = 0
}
