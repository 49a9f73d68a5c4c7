package bench

import (
	"errors"
	"fmt"
	"time"
)

// Config says what load to make.
type Config struct {
	Workers   int           `json:"workers"`
	Duration  time.Duration `json:"-"`
	Ops       int64         `json:"ops,omitempty"`  // ends earlier after so many; 0: no such end
	Rate      float64       `json:"rate,omitempty"` // operations a second, open loop; 0: closed loop
	Reads     float64       `json:"reads"`          // share of gets, 0 to 1
	Keys      int           `json:"keys"`
	Dist      string        `json:"distribution"`
	ValueSize int           `json:"value_size"`
	Seed      uint64        `json:"seed"`
	Load      bool          `json:"-"`              // first make sure that every key has a value
	Loaded    func()        `json:"-"`              // called then, before the load; nil: nothing is
	Warmup    time.Duration `json:"-"`              // before measuring
	OpTimeout time.Duration `json:"-"`              // of one operation, on this side
	PIDs      []int         `json:"pids,omitempty"` // processes of the nodes, whose CPU is counted
}

// Bounds on a run.
const (
	MaxWorkers  = 10_000
	MaxKeys     = 10_000_000
	MaxDuration = 24 * time.Hour
	MaxValue    = 64 << 20
)

// Check says what is wrong with the configuration.
func (c *Config) Check() error {
	for _, bad := range []struct {
		is   bool
		text string
	}{
		{c.Workers < 1 || c.Workers > MaxWorkers, fmt.Sprintf("--workers %d: it is 1 to %d", c.Workers, MaxWorkers)},
		{c.Duration <= 0 || c.Duration > MaxDuration, fmt.Sprintf("--duration %v: it is longer than 0 and at most %v", c.Duration, MaxDuration)},
		{c.Ops < 0, fmt.Sprintf("--ops %d: it is not negative", c.Ops)},
		{!(c.Rate >= 0 && c.Rate <= 1e7), fmt.Sprintf("--rate %v: it is 0 to 10,000,000 a second", c.Rate)},
		{!(c.Reads >= 0 && c.Reads <= 1), fmt.Sprintf("--mix %v: it is the share of gets, 0 to 1", c.Reads)},
		{c.Keys < 1 || c.Keys > MaxKeys, fmt.Sprintf("--keys %d: it is 1 to %d", c.Keys, MaxKeys)},
		{c.Dist != Uniform && c.Dist != Zipfian, fmt.Sprintf("--distribution %q: it is %s or %s", c.Dist, Uniform, Zipfian)},
		{c.ValueSize < 0 || c.ValueSize > MaxValue, fmt.Sprintf("--value-size %d: it is 0 to %d", c.ValueSize, MaxValue)},
		{c.Warmup < 0 || c.Warmup > MaxDuration, fmt.Sprintf("--warmup %v: it is 0 to %v", c.Warmup, MaxDuration)},
	} {
		if bad.is {
			return errors.New(bad.text)
		}
	}
	return nil
}
