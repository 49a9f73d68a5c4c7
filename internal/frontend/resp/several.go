package resp

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
)

// maxAtOnce is how many keys of one command are under way at a time.
const maxAtOnce = 32

// each does something for each of n keys, several at a time, and returns the
// errors by their places.
func each(n int, do func(i int) error) []error {
	errs := make([]error, n)
	if n == 1 {
		errs[0] = do(0)
		return errs
	}
	var all fault.Group
	slots := make(chan struct{}, maxAtOnce)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(i)
		})
	}
	all.Wait()
	return errs
}

// partly makes one error of those of several keys: how many failed, how many of
// them may have been written nevertheless, and the first. None is nil.
func partly(errs []error, key func(i int) []byte) error {
	failed, unknown, first := 0, 0, -1
	for i, err := range errs {
		if err == nil {
			continue
		}
		if failed++; first < 0 {
			first = i
		}
		var e *ouro.Error
		if !errors.As(err, &e) || e.Outcome != ouro.NotDone {
			unknown++
		}
	}
	if failed == 0 {
		return nil
	}
	var e *ouro.Error
	if !errors.As(errs[first], &e) {
		e = ouro.Errorf(ouro.TimedOut, ouro.Unknown, "%v", errs[first])
	}
	if len(errs) == 1 {
		return e
	}
	all := *e
	all.Message = fmt.Sprintf("%d of %d keys failed, %d of them may be done nevertheless, the others are done; the first that failed is %.64q: %s",
		failed, len(errs), unknown, key(first), e.Message)
	if failed < len(errs) || unknown > 0 {
		all.Outcome = ouro.Unknown // of the whole
	}
	return &all
}

func mget(x *call) {
	keys := x.args[1:]
	all := make([]found, len(keys))
	var size atomic.Int64
	tooLong := func() bool { return size.Load() > int64(x.c.cfg.MaxReply) }
	err := partly(each(len(keys), func(i int) (err error) {
		if !tooLong() {
			all[i], err = x.read(x.key(keys[i]))
			size.Add(int64(len(all[i].data)))
		}
		return err
	}), func(i int) []byte { return keys[i] })
	if tooLong() {
		x.tooLong()
		return
	}
	if !x.answered(err) {
		return
	}
	x.reply.array(len(all))
	for i := range all {
		all[i].there = all[i].there && all[i].text()
		x.showFound(&all[i])
	}
}

func mset(x *call) {
	pairs := x.args[1:]
	if len(pairs)%2 != 0 {
		x.wrongNumber()
		return
	}
	last := map[string]int{} // the last value of a key counts
	for i := 0; i < len(pairs); i += 2 {
		last[string(pairs[i])] = i
	}
	places := make([]int, 0, len(last))
	for i := 0; i < len(pairs); i += 2 {
		if last[string(pairs[i])] == i {
			places = append(places, i)
		}
	}
	err := partly(each(len(places), func(i int) error {
		at := places[i]
		return x.put(x.key(pairs[at]), pairs[at+1], 0, nil)
	}), func(i int) []byte { return pairs[places[i]] })
	if x.answered(err) {
		x.reply.ok()
	}
}

// count answers how many of the keys something holds for.
func (x *call) count(holds func(key ouro.Key) (bool, error)) {
	keys := x.args[1:]
	yes := make([]bool, len(keys))
	err := partly(each(len(keys), func(i int) (err error) {
		yes[i], err = holds(x.key(keys[i]))
		return err
	}), func(i int) []byte { return keys[i] })
	if !x.answered(err) {
		return
	}
	n := 0
	for _, y := range yes {
		if y {
			n++
		}
	}
	x.reply.int(int64(n))
}
