package ouro

import "time"

// CanaryBucket is the bucket in which nodes write canaries, where they are told to. It
// is defined like any other, or not at all.
const CanaryBucket = "ouro.canary"

// Staleness says how often reads do not show a write that was acknowledged before
// them, with n replicas and each r and w (probabilistically bounded staleness; Bailis et
// al., VLDB 2012): as one node predicts it from how long others took to answer, and as
// its canary has measured it.
//
// A read is one that another replica of the key coordinates than the one that coordinated
// the write; who reads where it wrote sees its own write.
type Staleness struct {
	Node string `json:"node"`
	N    int    `json:"n"`
	// Lacks is what a prediction lacks; "": there is one.
	Lacks string `json:"lacks,omitempty"`
	// Delays are how long after the acknowledgement reads begin, in seconds.
	Delays []float64   `json:"delays_seconds"`
	Pairs  []StalePair `json:"predicted"` // by r, then w
	// Measured is what the prediction rests on: the node itself first, then its peers.
	Measured []AnswerTimes `json:"measured"`
	Canary   *CanaryInfo   `json:"canary,omitempty"` // nil: this node writes none
}

// StalePair is what is predicted for one r and w.
type StalePair struct {
	R int `json:"r"`
	W int `json:"w"`
	// Stale are the shares of reads that do not show the write, by delay.
	Stale []float64 `json:"stale"`
	// TwoBehind is the share of reads right after the acknowledgement that show neither
	// this write nor the one before, were that acknowledged in the same moment.
	TwoBehind float64 `json:"two_behind"`
	// Visible99 and Visible999 are how long after the acknowledgement 99 % and 99.9 % of
	// reads show the write, in seconds.
	Visible99  float64 `json:"visible_99_seconds"`
	Visible999 float64 `json:"visible_999_seconds"`
}

// AnswerTimes are how long the recent answers of one node took.
type AnswerTimes struct {
	Node      string  `json:"node"`
	Reads     int     `json:"reads"`
	ReadMean  float64 `json:"read_mean_seconds"`
	Writes    int     `json:"writes"`
	WriteMean float64 `json:"write_mean_seconds"`
}

// CanaryInfo is what the canary of one node has measured since the node started, or
// since the keys of its bucket have another number of replicas.
type CanaryInfo struct {
	Bucket string    `json:"bucket"`
	N      int       `json:"n"`             // replicas of a key there; 0: nothing was measured yet
	Every  float64   `json:"every_seconds"` // from one write to the next
	Since  time.Time `json:"since"`
	Failed uint64    `json:"failed"` // writes and reads that failed, and say nothing
	Error  string    `json:"error,omitempty"`
	// Delays are how long after the acknowledgement reads begin, in seconds.
	Delays []float64    `json:"delays_seconds"`
	Pairs  []CanaryPair `json:"pairs"` // by r, then w
}

// CanaryPair is what was measured for one r and w.
type CanaryPair struct {
	R int `json:"r"`
	W int `json:"w"`
	// Reads and Stale are by delay: of those whose write and answer rest on primaries
	// alone. Of r and w that overlap none is stale.
	Reads []uint64 `json:"reads"`
	Stale []uint64 `json:"stale"`
	// StoodIn and StoodInStale are of those in which other nodes stood in for some.
	StoodIn      uint64 `json:"stood_in"`
	StoodInStale uint64 `json:"stood_in_stale"`
}

// Total returns how many reads there were over all delays, and how many were stale.
func (p *CanaryPair) Total() (reads, stale uint64) {
	for i := range p.Reads {
		reads, stale = reads+p.Reads[i], stale+p.Stale[i]
	}
	return reads, stale
}
