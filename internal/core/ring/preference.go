package ring

// Preference returns the first n entries of the preference list of a partition,
// fewer where the ring has fewer nodes with tokens. The result is shared: it must
// not be modified. Up to n = 8 it is computed ahead.
//
// The list holds distinct nodes in the order in which the walk clockwise from
// the partition's token meets them, but for this (paper, sections 4.3 and 4.6):
// first comes the first node met of each data centre, then the first one of each
// zone not yet there, then all others. So the first n of the list are in n data
// centres where there are so many, otherwise in n zones where there are so many;
// with fewer zones than n all zones are there, and the rest is as walked. The
// token's owner is always first, and a list for a smaller n begins a list for a
// larger one.
func (r *Ring) Preference(partition uint32, n int) []NodeID {
	n = min(max(n, 0), r.holders)
	if n <= r.width {
		at := int(partition) * r.width
		return r.lists[at : at+n : at+n]
	}
	w := newWalk(r)
	w.from(int(partition), n)
	return w.list(nil, n)
}

// Owners returns the whole preference list of a partition: every node that owns
// a token. It is computed anew at each call.
func (r *Ring) Owners(partition uint32) []NodeID { return r.Preference(partition, len(r.nodes)) }

// fill computes the beginning of every list.
func (r *Ring) fill() {
	w := newWalk(r)
	r.holders = w.holders
	r.width = min(cached, w.holders)
	r.lists = make([]NodeID, 0, len(r.tokens)*r.width)
	for t := range r.tokens {
		w.from(t, r.width)
		r.lists = w.list(r.lists, r.width)
	}
}

// walk is the state of one walk round the ring, reused for the next.
type walk struct {
	ring *Ring

	// Places of each node, numbered from 0; a zone is one of one data centre.
	dc, zone []int32
	// How many nodes, data centres and zones own tokens: a walk can meet no more.
	holders, dcs, zones int

	// Marks of what was met equal the number of the walk, so none is cleared.
	round                       uint32
	metNode, metDC, metZone     []uint32
	placed                      []uint32 // nodes already in the list
	nodes, firstDC, firstInZone []int32  // met, in order: all, new data centres, new zones
}

func newWalk(r *Ring) *walk {
	w := &walk{ring: r, dc: make([]int32, len(r.nodes)), zone: make([]int32, len(r.nodes))}
	seenDC, seenZone := map[string]int32{}, map[[2]string]int32{}
	for i, n := range r.nodes {
		w.dc[i] = number(seenDC, n.DC)
		w.zone[i] = number(seenZone, [2]string{n.DC, n.Zone})
	}
	w.metNode, w.placed = make([]uint32, len(r.nodes)), make([]uint32, len(r.nodes))
	w.metDC, w.metZone = make([]uint32, len(seenDC)), make([]uint32, len(seenZone))
	w.count()
	return w
}

// number returns the number of a name, giving new names the next one.
func number[K comparable](seen map[K]int32, name K) int32 {
	i, ok := seen[name]
	if !ok {
		i = int32(len(seen))
		seen[name] = i
	}
	return i
}

// count counts what owns tokens.
func (w *walk) count() {
	w.round++
	for i, tokens := range w.ring.counts {
		if tokens == 0 {
			continue
		}
		w.holders++
		w.dcs += meet(w.metDC, w.dc[i], w.round)
		w.zones += meet(w.metZone, w.zone[i], w.round)
	}
}

// meet marks place i and returns 1 if it was not marked in this round.
func meet(marks []uint32, i int32, round uint32) int {
	if marks[i] == round {
		return 0
	}
	marks[i] = round
	return 1
}

// from walks from a token until the first n entries of its list are certain:
// until n nodes are met, and n data centres or all, and n zones or all.
func (w *walk) from(token, n int) {
	w.round++
	w.nodes, w.firstDC, w.firstInZone = w.nodes[:0], w.firstDC[:0], w.firstInZone[:0]
	nodes, dcs, zones := min(n, w.holders), min(n, w.dcs), min(n, w.zones)
	owners := w.ring.owners
	for i := range owners {
		at := token + i
		if at >= len(owners) {
			at -= len(owners)
		}
		node := owners[at]
		if meet(w.metNode, node, w.round) == 0 {
			continue
		}
		w.nodes = append(w.nodes, node)
		switch {
		case meet(w.metDC, w.dc[node], w.round) == 1:
			meet(w.metZone, w.zone[node], w.round)
			w.firstDC = append(w.firstDC, node)
		case meet(w.metZone, w.zone[node], w.round) == 1:
			w.firstInZone = append(w.firstInZone, node)
		}
		if len(w.nodes) >= nodes && len(w.firstDC) >= dcs && len(w.firstDC)+len(w.firstInZone) >= zones {
			return
		}
	}
}

// list appends the first n entries of the list of the last walk to dst.
func (w *walk) list(dst []NodeID, n int) []NodeID {
	for _, met := range [...][]int32{w.firstDC, w.firstInZone, w.nodes} {
		for _, node := range met {
			if n == 0 {
				return dst
			}
			if meet(w.placed, node, w.round) == 1 {
				dst = append(dst, w.ring.nodes[node].ID)
				n--
			}
		}
	}
	return dst
}
