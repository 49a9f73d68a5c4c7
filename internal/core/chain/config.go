package chain

import "time"

func (c Config) withDefaults() Config {
	for _, d := range [...]struct {
		v    *time.Duration
		none time.Duration
	}{
		{&c.Every, time.Second},
		{&c.Wait, time.Second},
		{&c.MaxBackOff, 10 * time.Second},
		{&c.Gather, 3 * time.Second},
		{&c.Patience, 15 * time.Second},
		{&c.Tell, 5 * time.Second},
	} {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	for _, d := range [...]struct {
		v    *int
		none int
	}{{&c.MaxMoving, 128}, {&c.MaxLink, 192 << 10}, {&c.MaxPage, 256 << 10}, {&c.MaxPlacement, 16 << 20}} {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	return c
}
