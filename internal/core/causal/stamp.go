package causal

import "math"

// stampShift is how many bits of a stamp count within a millisecond.
const stampShift = 16

// StampAt returns the first stamp of a millisecond since 1970; times before that
// count as 0.
func StampAt(ms int64) Stamp { return Stamp(max(ms, 0)) << stampShift }

// Millis returns the milliseconds since 1970 of s.
func (s Stamp) Millis() int64 { return int64(s >> stampShift) }

// NextStamp returns the stamp of a version minted into s when the wall clock
// shows now: greater than the clock and than every stamp in s, so that stamps
// follow causality even where clocks do not (RULES R37).
func (s State) NextStamp(now int64) Stamp {
	stamp := StampAt(now)
	for i := range s.Versions {
		stamp = max(stamp, s.Versions[i].Stamp)
	}
	if stamp == math.MaxUint64 {
		return stamp // forged: nothing is greater
	}
	return stamp + 1
}
