package telemetry

import (
	"testing"
	"time"
)

// Section 6.2 (6.2.2): requests are counted in windows of half an hour, which move on
// by the minute and forget what is older.
func TestPaper_6_2_2_RequestsOfHalfAnHour(t *testing.T) {
	var now time.Duration
	h := &halfHour{now: func() time.Duration { return now }}
	at := func(minute, add, want int) {
		t.Helper()
		now = time.Duration(minute)*time.Minute + 59*time.Second
		if add > 0 {
			h.add(add)
		}
		if got := h.sum(); got != want {
			t.Errorf("in minute %d the window has %d requests, want %d", minute, got, want)
		}
	}
	at(0, 5, 5)
	at(0, 1, 6)
	at(1, 10, 16)
	at(29, 100, 116)
	at(30, 0, 110) // those of minute 0 are gone
	at(31, 7, 107)
	at(59, 0, 7)
	at(61, 0, 0)
	at(1000, 3, 3)
	at(5000, 0, 0)
	at(5001, 2, 2)
}
