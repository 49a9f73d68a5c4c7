package host

// turnBytes is how much the items of one turn come to at most, unless it is a single one:
// the batch of the engine, the messages to other nodes and the answers to clients that
// are made of them are all in memory at once.
const turnBytes = 4 << 20

// itemBytes is what an item counts at least: what it makes the shard read shows only
// after that was done.
const itemBytes = 16 << 10

// portion returns how many of the items that wait are for one turn.
func portion(items []item) int {
	size := 0
	for i := range items {
		if size += items[i].size(); size >= turnBytes {
			return i + 1
		}
	}
	return len(items)
}

// size returns what an item counts for its turn.
func (it *item) size() int {
	n := 0
	switch {
	case it.call != nil:
		n = len(it.call.request.Value) + len(it.call.request.Record)
	case it.frames != nil:
		for _, body := range it.frames.bodies {
			n += len(body)
		}
	}
	return max(n, itemBytes)
}
