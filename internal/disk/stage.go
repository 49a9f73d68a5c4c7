package disk

import (
	"bytes"
	"errors"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// staged is an operation that was run and not answered yet.
type staged struct {
	op      *replica.Op
	answer  replica.Answer
	seq     uint64 // the batch that last changed the record, as this operation saw it
	before  uint64 // what the record's slot held before this operation
	facts   int    // where its facts end
	changed bool
	relaxed bool // it need not wait for its sync
	marked  bool // a mark was put into the batch or taken out of the store
	aside   bool // what changed is not the record itself
}

// stage runs one operation and puts what it changes into the batch.
func (r *Runner) stage(now clock.Now, op *replica.Op, facts *[]fact.Fact) {
	slot := r.latest.slot(op.Key.Pos.Lo)
	s := staged{op: op, before: *slot}
	if reason := r.refuse(op); reason != replica.None {
		s.answer = failed(op, reason)
	} else if op.Verb == replica.Agreed {
		r.agreed(op, &s)
	} else if op.Verb == replica.Recover {
		r.recover(op, &s)
	} else if op.Verb == replica.Arrive {
		r.arrive(op, &s)
	} else {
		r.do(now, op, &s, facts)
	}
	r.relax(op, &s)
	if s.changed || s.marked {
		*slot = r.seq + 1
	}
	s.seq = *slot
	s.facts = len(*facts)
	r.staged = append(r.staged, s)
}

// refuse says why op is not even tried, or [replica.None].
func (r *Runner) refuse(op *replica.Op) replica.Reason {
	switch {
	case r.dead != nil:
		return replica.IOError
	case op.Verb != replica.Write && op.Verb != replica.Join && op.Verb != replica.Heal:
		return replica.None
	case r.full.Load():
		return replica.DiskFull
	case op.Pending && !op.Kept && r.pendingBytes.Load()+r.growth >= r.config.MaxPending:
		return replica.DiskFull
	case r.waiting.answers+len(r.staged) >= r.config.MaxWaiting, len(r.waiting.batches) >= r.config.MaxBatches:
		return replica.Overloaded
	default:
		return replica.None
	}
}

// do runs one operation on what is stored, as the batch so far leaves it.
func (r *Runner) do(now clock.Now, op *replica.Op, s *staged, facts *[]fact.Fact) {
	id := record{op.Partition, op.Key.Bucket, op.Key.Name, ownRecord}
	if op.Pending {
		id.kind = pendingRecord
	}
	r.key = appendKey(r.key[:0], op)
	var res replica.Result
	var was before
	if stored, ok := r.overlay[id]; ok {
		was = r.before(op, stored)
		res = r.replica.Do(now, stored, op, facts)
	} else if k := r.cached(op); k != nil {
		res = r.replica.Do(now, k.record, op, facts)
		if k.alone && res.Answer.Rotten == nil {
			restore(now, op, k.record, &res, facts)
		}
	} else {
		res, was = r.fetch(now, op, facts)
	}
	if res.Answer.Rotten != nil {
		r.adjust(op, &res)
		r.beside(now, op, s, facts)
		r.mark(op, s)
		return
	}
	if s.changed = res.Record != nil || res.Drop; s.changed {
		r.change(id, &res, was)
	}
	if res.Due != 0 || res.Crowded {
		r.mortals = append(r.mortals, replica.Mortal{Partition: op.Partition, Key: op.Key, Due: res.Due, Crowded: res.Crowded})
	}
	if !op.Pending && (s.changed || res.Unreadable) {
		r.adjust(op, &res)
	}
	s.answer = res.Answer
	r.mark(op, s)
}

// mark keeps in mind, with the state of a Join, which node did not get it.
func (r *Runner) mark(op *replica.Op, s *staged) {
	if op.Missed == "" || op.Pending || op.Verb != replica.Join || s.answer.Status != replica.Have {
		return
	}
	r.key = store.AppendDoubtKey(r.key[:0], op.Partition, string(op.Missed))
	r.batch.Set(r.key, nil)
	s.marked = true
}

// agreed takes such a mark back.
func (r *Runner) agreed(op *replica.Op, s *staged) {
	r.key = store.AppendDoubtKey(r.key[:0], op.Partition, string(op.Missed))
	r.batch.Delete(r.key)
	s.answer = replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have}
	s.marked = true
}

// change puts into the batch what becomes of a record.
func (r *Runner) change(id record, res *replica.Result, was before) {
	if res.Drop {
		r.batch.Delete(r.key)
	} else {
		r.batch.SetShared(r.key, res.Record)
	}
	r.overlay[id] = res.Record
	if id.kind == pendingRecord {
		r.grow(was.size, len(res.Record))
		r.restamp(was, res.Record)
	}
}

// appendKey appends the engine key of the record that op is about.
func appendKey(dst []byte, op *replica.Op) []byte {
	k := &op.Key
	if op.Pending {
		return store.AppendPendingKey(dst, op.Partition, k.Bucket, k.Pos.Hi, k.Name)
	}
	return store.AppendRecordKey(dst, op.Partition, k.Bucket, k.Pos.Hi, k.Name)
}

// cached returns the record from memory; nil: it is not there, as pending ones never are.
func (r *Runner) cached(op *replica.Op) *kept {
	if op.Pending {
		return nil
	}
	return r.cache.get(op.Key.Pos.Lo, r.key)
}

// fetch runs an operation on the record that the engine has, and returns what it
// was before.
func (r *Runner) fetch(now clock.Now, op *replica.Op, facts *[]fact.Fact) (res replica.Result, was before) {
	keep := !op.Pending && r.cache.wants(op.Key.Pos.Lo)
	watched := r.config.Read != nil && !op.Background
	var began time.Duration
	if watched {
		began = r.config.Clock()
	}
	found, err := r.engine.Get(r.key, func(stored []byte) {
		if keep {
			r.cache.put(op.Key.Pos.Lo, r.key, bytes.Clone(stored))
		}
		was = r.before(op, stored)
		res = r.replica.Do(now, stored, op, facts) // it copies what it returns
	})
	if watched {
		r.config.Read(r.config.Clock()-began, err)
	}
	switch {
	case errors.Is(err, store.ErrDamaged) && !op.Pending:
		return r.damaged(now, op, err, facts), before{}
	case err != nil:
		return r.readFailed(now, op, err, facts), before{}
	case !found:
		return r.replica.Do(now, nil, op, facts), before{}
	default:
		return res, was
	}
}

// damaged is the outcome of an operation on a record that lies where the engine finds
// damage: it is rotten, and whole again once what others have of it is stored anew.
func (r *Runner) damaged(now clock.Now, op *replica.Op, err error, facts *[]fact.Fact) replica.Result {
	*facts = append(*facts, fact.Fact{Kind: fact.Damaged, Ticket: op.ID, At: now.Mono, Note: op.Key.Bucket + ": " + err.Error()})
	a := failed(op, replica.Corrupt)
	a.Rotten = &replica.Rotten{Partition: op.Partition, Key: op.Key}
	return replica.Result{Answer: a, Unreadable: true}
}

// readFailed is the outcome of an operation whose record cannot be read: an
// error, never "absent" (RULES R33).
func (r *Runner) readFailed(now clock.Now, op *replica.Op, err error, facts *[]fact.Fact) replica.Result {
	if fatal(err) {
		r.stop(err)
	}
	*facts = append(*facts, fact.Fact{Kind: fact.Refused, Ticket: op.ID, At: now.Mono, Note: "read from the engine: " + err.Error()})
	return replica.Result{Answer: failed(op, replica.IOError)}
}

// settle gives the answer of one operation or makes it wait for its sync.
func (r *Runner) settle(s *staged, done *[]replica.Answer) {
	a := s.answer
	durable := s.seq <= r.waiting.synced
	switch {
	case s.op.Silent:
		if a.Rotten != nil {
			*done = append(*done, replica.Answer{Verb: a.Verb, Status: a.Status, Rotten: a.Rotten})
		}
		return
	case a.Status == replica.Failed, a.Status == replica.DontKnow && a.State == nil, a.Verb == replica.Recall && !a.Found:
		*done = append(*done, a)
		return
	case s.relaxed && !durable:
		a.Relaxed = a.Verb != replica.Read
		*done = append(*done, a)
		return
	case a.Verb == replica.Write && !(s.relaxed && durable):
		*done = append(*done, a)
		a.State = nil
	case durable:
	case r.waiting.answers >= r.config.MaxWaiting, r.waiting.bytes+len(a.State) > r.config.MaxWaitingBytes:
		*done = append(*done, failed(s.op, replica.Overloaded))
		return
	}
	a.Durable = a.Verb != replica.Read && a.Verb != replica.Recall && a.Verb != replica.Paid
	if durable {
		*done = append(*done, a)
	} else {
		r.waiting.add(s.seq, a)
	}
}

// abandon undoes what a run did in memory after its batch was not stored:
// err says why. The facts of operations that failed are taken back.
func (r *Runner) abandon(now clock.Now, err error, facts *[]fact.Fact, start int) {
	if fatal(err) && r.dead == nil {
		r.stop(err)
	}
	r.unmark()
	clear(r.overlay)
	r.cache.clear()
	r.trees.clear()
	r.mortals = r.mortals[:r.earlier]
	r.replica.ForgetTokens()
	for i := len(r.staged) - 1; i >= 0; i-- {
		*r.latest.slot(r.staged[i].op.Key.Pos.Lo) = r.staged[i].before
	}
	reason := replica.IOError
	if errors.Is(err, store.ErrFull) {
		reason = replica.DiskFull
	}
	all := append([]fact.Fact(nil), (*facts)[start:]...)
	*facts = (*facts)[:start]
	lost, from := 0, start
	for i := range r.staged {
		s := &r.staged[i]
		own := all[from-start : s.facts-start]
		from = s.facts
		switch {
		case s.seq <= r.seq && r.dead == nil: // it neither changed anything nor saw a change
			*facts = append(*facts, own...)
		case s.op.Verb == replica.Read && r.dead == nil:
			r.do(now, s.op, s, facts)
			s.seq = *r.latest.slot(s.op.Key.Pos.Lo)
		default:
			s.answer, s.seq, s.changed, s.marked, s.relaxed = failed(s.op, reason), 0, false, false, false
			lost++
		}
	}
	*facts = append(*facts, fact.Fact{Kind: fact.Refused, At: now.Mono, N: lost, Note: "the engine refused a batch: " + err.Error()})
}

func failed(op *replica.Op, reason replica.Reason) replica.Answer {
	return replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Failed, Reason: reason}
}
