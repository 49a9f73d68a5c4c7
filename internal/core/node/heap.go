package node

// schedule keeps a slot in the heap by its machine's deadline.
func (t *slots) schedule(s *slot) {
	d := s.machine.Deadline()
	switch {
	case s.at < 0:
		s.at, s.deadline = len(t.heap), d
		t.heap = append(t.heap, s)
	case s.deadline == d:
		return
	}
	s.deadline = d
	t.up(s)
	t.down(s)
}

func (t *slots) unschedule(s *slot) {
	if s.at < 0 {
		return
	}
	at, last := s.at, len(t.heap)-1
	moved := t.heap[last]
	t.heap[last] = nil
	t.heap = t.heap[:last]
	s.at = -1
	if at == last {
		return
	}
	t.heap[at], moved.at = moved, at
	t.up(moved)
	t.down(moved)
}

func (t *slots) before(i, j int) bool {
	a, b := t.heap[i], t.heap[j]
	return a.deadline < b.deadline || a.deadline == b.deadline && a.id < b.id
}

func (t *slots) swap(i, j int) {
	t.heap[i], t.heap[j] = t.heap[j], t.heap[i]
	t.heap[i].at, t.heap[j].at = i, j
}

func (t *slots) up(s *slot) {
	for s.at > 0 && t.before(s.at, (s.at-1)/2) {
		t.swap(s.at, (s.at-1)/2)
	}
}

func (t *slots) down(s *slot) {
	for {
		least := s.at
		for c := 2*s.at + 1; c <= 2*s.at+2 && c < len(t.heap); c++ {
			if t.before(c, least) {
				least = c
			}
		}
		if least == s.at {
			return
		}
		t.swap(s.at, least)
	}
}
