package server

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// troubles are links that are refused, for status: each is told again at every
// attempt, and forgotten when that has ended.
type troubles struct {
	mu  sync.Mutex
	now map[string]trouble // by who it is about
}

type trouble struct {
	text string
	at   time.Time
}

// Bounds on troubles: how long one is shown, and how many are.
const (
	troubleAge = 15 * time.Second // attempts are at most 5 s apart
	troubleMax = 16
)

// tell notes what is wrong about somebody.
func (t *troubles) tell(about, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now == nil {
		t.now = map[string]trouble{}
	}
	t.forget()
	if _, known := t.now[about]; known || len(t.now) < troubleMax {
		t.now[about] = trouble{text, time.Now()}
	}
}

// forget drops what was not told for a while; mu is held.
func (t *troubles) forget() {
	maps.DeleteFunc(t.now, func(_ string, x trouble) bool { return time.Since(x.at) > troubleAge })
}

// end says that nothing is wrong about somebody any more.
func (t *troubles) end(about string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.now, about)
}

// list returns what is wrong now.
func (t *troubles) list() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget()
	var all []string
	for _, x := range t.now {
		all = append(all, x.text)
	}
	slices.Sort(all)
	return all
}
