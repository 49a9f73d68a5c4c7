package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Validate reports every value that is out of its bounds or that can't go with
// another, each with what to do about it.
func (c *Config) Validate() error {
	v := &verdict{}
	c.checkIdentity(v)
	c.checkAddresses(v)
	c.checkPlace(v)
	c.checkBuckets(v)
	c.Limits.check(v)
	return errors.Join(v.errs...)
}

// verdict collects what is wrong.
type verdict struct{ errs []error }

func (v *verdict) add(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(format, args...))
}

// bare is what an error of another package says, without the code: here it is about a
// setting, which is named before it.
func bare(err error) string {
	var e *ouro.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// oneOf wants value to be one of the words.
func (v *verdict) oneOf(name, value string, words ...string) {
	for _, w := range words {
		if value == w {
			return
		}
	}
	v.add("%s: %q is none of %q", name, value, words)
}

// within wants a number between two bounds.
func within[T int | Size](v *verdict, name string, value, low, high T) {
	if value < low || value > high {
		v.add("%s: %v is out of bounds: choose from %v to %v", name, value, low, high)
	}
}

// spanning wants a duration between two bounds.
func (v *verdict) spanning(name string, value, low, high time.Duration) {
	if value < low || value > high {
		v.add("%s: %s is out of bounds: choose from %s to %s", name, formatDuration(value), formatDuration(low), formatDuration(high))
	}
}

func (c *Config) checkIdentity(v *verdict) {
	if err := ring.CheckID(ring.NodeID(c.ID)); err != nil {
		v.add("id: %s", bare(err))
	}
	if c.Data == "" {
		v.add("data: the folder has no name: give one, such as --data ./ouro-data")
	}
	if err := ouro.ValidateBucket(c.Cluster); err != nil {
		v.add("cluster: %q cannot name a cluster: use 1 to %d of A-Z a-z 0-9 . _ -", c.Cluster, member.MaxClusterName)
	}
	v.oneOf("engine", c.Engine, Engines()...)
	v.oneOf("log-level", c.LogLevel, "debug", "info", "warn", "error")
	v.oneOf("log-format", c.LogFormat, "auto", "text", "json")
	within(v, "shards", c.Shards, 0, 1024)
	if c.Limits.MemoryLimit > 0 && !strings.HasPrefix(c.Engine, EngineMemory) {
		v.add("memory-limit: engine %s keeps its data on disk: leave memory-limit out, or choose engine memory, memory+pebble or memory+bbolt", c.Engine)
	}
}

// address is a named address of a Config.
type address struct{ name, addr string }

func (c *Config) listeners() []address {
	all := []address{{"listen", c.Listen}, {"peer-listen", c.PeerListen}, {"admin-listen", c.AdminListen}}
	if c.RESPListen != Off {
		all = append(all, address{"resp-listen", c.RESPListen})
	}
	if c.GRPCListen != Off {
		all = append(all, address{"grpc-listen", c.GRPCListen})
	}
	return all
}

func (c *Config) checkAddresses(v *verdict) {
	seen := map[string]string{}
	for _, l := range c.listeners() {
		if err := checkAddr(l.addr); err != nil {
			v.add("%s: %w", l.name, err)
			continue
		}
		if other := seen[l.addr]; other != "" && !anyPort(l.addr) {
			v.add("%s and %s are both %s: give each a port of its own", other, l.name, l.addr)
		}
		seen[l.addr] = l.name
		if !c.Insecure && !onLoopback(l.addr) {
			v.add("%s: %s can be reached from other machines, and nothing is encrypted yet: use a loopback address such as 127.0.0.1, or accept that with --insecure", l.name, l.addr)
		}
	}
	for _, a := range []struct{ name, addr string }{{"advertise", c.Advertise}, {"advertise-clients", c.AdvertiseClients}} {
		if a.addr == "" {
			continue
		}
		if err := checkAddr(a.addr); err != nil {
			v.add("%s: %w", a.name, err)
		} else if !Dialable(a.addr) {
			v.add("%s: nobody can dial %s: give the host and the port at which others reach this node", a.name, a.addr)
		}
	}
	for _, s := range c.Seeds {
		if s == NoSeeds && len(c.Seeds) == 1 {
			continue
		}
		if strings.HasPrefix(s, SeedFile) && len(s) > len(SeedFile) {
			continue
		}
		if err := checkAddr(s); err != nil {
			v.add("seeds: %w", err)
		}
	}
}

// Exposed returns the listeners that other machines can reach, for the warning
// at each start; empty where there are none.
func (c *Config) Exposed() []string {
	var names []string
	for _, l := range c.listeners() {
		if !onLoopback(l.addr) {
			names = append(names, l.name+" "+l.addr)
		}
	}
	return names
}

func (c *Config) checkPlace(v *verdict) {
	within(v, "weight", c.Weight, 1, ring.MaxWeight)
	if _, err := ring.EqualTokens(c.Q); err != nil {
		v.add("q: %s", bare(err))
	}
	for _, label := range [...]string{c.Zone, c.DC} {
		if err := ring.CheckLabel(label); err != nil {
			v.add("zone and dc: %v", err)
		}
	}
	if len(c.Members) == 0 {
		return
	}
	if len(c.Members) > c.Q {
		v.add("members: %d members share %d partitions: raise q to at least %d, 32 for each node there may ever be", len(c.Members), c.Q, len(c.Members))
	}
	self := -1
	for i, m := range c.Members {
		if string(m.ID) == c.ID {
			self = i
		}
	}
	if self < 0 {
		v.add("members: this node, %s, is not in the list: add %s=host:port, or set id to one that is", c.ID, c.ID)
		return
	}
	m := c.Members[self]
	if c.Zone != "" && c.Zone != m.Zone || c.DC != "" && c.DC != m.DC || c.Weight != 1 && c.Weight != m.Weight {
		v.add("members: zone, dc and weight of %s are not what the list says: put them there, such as %s=%s;zone=a;dc=b;weight=2, equal on every node", c.ID, c.ID, m.Addr)
	}
}

// maxRESPBuckets is how many buckets can be chosen by number.
const maxRESPBuckets = 1024

func (c *Config) checkBuckets(v *verdict) {
	if err := c.Bucket.Validate(); err != nil {
		v.add("default bucket: %s", bare(err))
	}
	if len(c.RESPBuckets) < 1 || len(c.RESPBuckets) > maxRESPBuckets {
		v.add("resp-buckets: name 1 to %d buckets, such as redis", maxRESPBuckets)
	}
	for i, name := range c.RESPBuckets {
		if err := ouro.ValidateBucket(name); err != nil {
			v.add("resp-buckets: %s", bare(err))
		}
		if slices.Contains(c.RESPBuckets[:i], name) {
			v.add("resp-buckets: %s is named twice", name)
		}
	}
	if c.Canary != 0 {
		v.spanning("canary", c.Canary, 10*time.Millisecond, time.Hour)
	}
	for _, b := range c.Buckets {
		if err := ouro.ValidateBucket(b.Name); err != nil {
			v.add("[buckets.%s]: %s", b.Name, bare(err))
		}
		if err := b.Validate(); err != nil {
			v.add("[buckets.%s]: %s", b.Name, bare(err))
		}
	}
}

func (l *Limits) check(v *verdict) {
	within(v, "max-value", l.MaxValue, 1, 256<<20)
	within(v, "drain-body", l.DrainBody, 0, 1<<30)
	within(v, "max-siblings", l.MaxSiblings, 1, member.MostSiblings)
	within(v, "max-in-flight", l.MaxInFlight, 1, 1<<20)
	within(v, "inbox", l.Inbox, 1, 1<<20)
	within(v, "max-explain", l.MaxExplain, 1, 1<<16)
	within(v, "max-frame", l.MaxFrame, 64<<10, 1<<30)
	within(v, "max-pending", l.MaxPending, 64<<10, 16<<30)
	within(v, "max-hints", l.MaxHints, 1<<20, 1<<50)
	within(v, "transfer-rate", l.TransferRate, 64<<10, 1<<40)
	v.spanning("scrub-within", l.ScrubWithin, 0, 365*24*time.Hour)
	within(v, "scrub-rate", l.ScrubRate, 64<<10, 1<<40)
	within(v, "archive-rate", l.ArchiveRate, 64<<10, 1<<40)
	within(v, "memory-limit", l.MemoryLimit, 0, 1<<50)
	within(v, "disk-reserve", l.DiskReserve, 1<<20, 1<<50)
	v.spanning("slow-read", l.SlowRead, 0, time.Minute)
	within(v, "write-buffer", l.WriteBuffer, 64<<10, 1<<34)
	v.spanning("flush-window", l.FlushWindow, 0, time.Minute)
	v.spanning("max-hint-age", l.MaxHintAge, time.Second, 365*24*time.Hour)
	within(v, "max-links", l.MaxLinks, 1, 1<<20)
	within(v, "resp-max-clients", l.RESPMaxClients, 1, 1<<20)
	v.spanning("resp-idle-timeout", l.RESPIdleTimeout, 0, 365*24*time.Hour)
	within(v, "grpc-max-clients", l.GRPCMaxClients, 1, 1<<20)
	within(v, "request-tokens", l.RequestTokens, 1, 1<<24)
	v.spanning("request-token-ttl", l.RequestTokenTTL, time.Second, time.Hour)
	v.spanning("repair-wait", l.RepairWait, 0, time.Minute)
	v.spanning("epoch-interval", l.EpochInterval, 50*time.Millisecond, 24*time.Hour)
	within(v, "exceptions", l.Exceptions, 1, 4096)
	within(v, "prune", l.Prune, 1, 4096)
	within(v, "prune-hard", l.PruneHard, l.Prune, 8192)
	v.spanning("prune-age", l.PruneAge, 0, 365*24*time.Hour)
	if least := l.MaxValue*Size(l.MaxSiblings) + frameRoom; l.MaxFrame < least {
		v.add("max-frame: %v cannot carry a record of max-siblings, %d, times max-value, %v: raise max-frame to %v, or lower one of them",
			l.MaxFrame, l.MaxSiblings, l.MaxValue, least)
	}
}

// frameRoom is what a message may hold beside values: key, vector, exceptions,
// content types.
const frameRoom = 1 << 20
