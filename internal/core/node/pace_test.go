package node

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) { // RULES R30
	const ms, second = time.Millisecond, time.Second
	type step struct {
		now, sent time.Duration
		session   uint64
		age       time.Duration
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"the first has no age", []step{{10 * second, second, 1, 0}}},
		{"one that waited", []step{{10 * second, second, 1, 0}, {12 * second, 1500 * ms, 1, 1498 * ms}}},
		{"all that waited with it", []step{
			{10 * second, second, 1, 0},
			{12 * second, 1500 * ms, 1, 1498 * ms},
			{12*second + ms, 1600 * ms, 1, 1399 * ms},
			{12*second + 2*ms, 3 * second, 1, 0},
		}},
		{"a quicker one tells more", []step{
			{10 * second, second, 1, 0}, {11 * second, 2100 * ms, 1, 0}, {12 * second, 3000 * ms, 1, 99 * ms},
		}},
		{"another session begins anew", []step{{10 * second, second, 1, 0}, {15 * second, 2 * second, 2, 0}}},
		{"clocks that come apart a little", []step{{10 * second, second, 1, 0}, {1010 * second, 1000500 * ms, 1, 0}}},
		{"a sender that stood still is believed after a while", []step{
			{10 * second, second, 1, 0},
			{15 * second, 2 * second, 1, 3995 * ms},
			{15500 * ms, 2500 * ms, 1, 3994500 * time.Microsecond},
			{16100 * ms, 3100 * ms, 1, 0},
			{17100 * ms, 4100 * ms, 1, 0},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p pace
			for i, s := range c.steps {
				if got := p.age(s.now, s.session, s.sent, 200*ms); (got - s.age).Abs() > ms {
					t.Fatalf("step %d: %v old, want %v", i, got, s.age)
				}
			}
		})
	}
}
