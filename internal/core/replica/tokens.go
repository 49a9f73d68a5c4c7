package replica

import (
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// tokens remembers for a while which request ids were stored here, and under
// which dot (RULES R29). The same id at two keys is two requests. The oldest go
// first, by age or for room.
type tokens struct {
	ttl     time.Duration
	max     int
	dots    map[tokenKey]tokenDot
	queue   []tokenAge // by age; those before head are gone
	head    int
	evicted uint64 // for room, while young
}

type tokenKey struct {
	token uint64
	pos   uint64 // lower half of the key's position, which is a hash
}

type tokenDot struct {
	dot  causal.Dot
	at   time.Duration
	kept bool // in the stead of others
}

type tokenAge struct {
	key       tokenKey
	partition uint32
	at        time.Duration
}

func keyOf(token uint64, k *ring.Key) tokenKey { return tokenKey{token, k.Pos.Lo} }

// find returns what is remembered of a token; a delete's dot is zero.
func (t *tokens) find(token uint64, k *ring.Key, now time.Duration) (tokenDot, bool) {
	d, ok := t.dots[keyOf(token, k)]
	if !ok || now-d.at > t.ttl {
		return tokenDot{}, false
	}
	return d, true
}

// add remembers a token. One already there keeps its dot and its age.
func (t *tokens) add(token uint64, op *Op, dot causal.Dot, now time.Duration) {
	if token == 0 || t.max <= 0 {
		return
	}
	t.expire(now)
	if _, ok := t.dots[keyOf(token, &op.Key)]; !ok {
		t.insert(token, op, dot, now)
	}
}

// insert is add for a token that was just looked for and not found.
func (t *tokens) insert(token uint64, op *Op, dot causal.Dot, now time.Duration) {
	if token == 0 || t.max <= 0 {
		return
	}
	t.expire(now)
	if len(t.queue)-t.head >= t.max {
		t.evicted++
		t.drop()
	}
	if t.head > len(t.queue)/2 {
		t.queue = t.queue[:copy(t.queue, t.queue[t.head:])]
		t.head = 0
	}
	key := keyOf(token, &op.Key)
	t.queue = append(t.queue, tokenAge{key, op.Partition, now})
	t.dots[key] = tokenDot{dot, now, op.Pending}
}

func (t *tokens) expire(now time.Duration) {
	for t.head < len(t.queue) && now-t.queue[t.head].at > t.ttl {
		t.drop()
	}
}

func (t *tokens) drop() {
	delete(t.dots, t.queue[t.head].key)
	t.head++
	if t.head == len(t.queue) {
		t.queue, t.head = t.queue[:0], 0
	}
}

// forget forgets the tokens that are picked.
func (t *tokens) forget(picked func(a *tokenAge, dot causal.Dot) bool) {
	left := t.queue[:0]
	for _, a := range t.queue[t.head:] {
		if picked(&a, t.dots[a.key].dot) {
			delete(t.dots, a.key)
		} else {
			left = append(left, a)
		}
	}
	t.queue, t.head = left, 0
}

func (t *tokens) clear() {
	clear(t.dots)
	t.queue, t.head = t.queue[:0], 0
}

// ForgetTokens forgets every request id. It must be called when a batch with
// results of [Replica.Do] was not stored, since Do remembers what it was told
// to store; a retry may then store a second sibling, as after a restart (R31).
func (r *Replica) ForgetTokens() { r.tokens.clear() }

// Vacated tells that all that was held of a partition, or of a bucket in it, was let
// go. What other nodes have not merged of it is stored nowhere (RULES R16), so the
// request ids that are remembered of it speak for nothing any more.
func (r *Replica) Vacated(partition uint32) {
	r.tokens.forget(func(a *tokenAge, _ causal.Dot) bool { return a.partition == partition })
}

// TokensEvicted returns how many request ids were forgotten before their time
// for want of room.
func (r *Replica) TokensEvicted() uint64 { return r.tokens.evicted }
