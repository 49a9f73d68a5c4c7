package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/dev"
)

// The numbers of a soak: how many nodes, so that one may be out of it and one join;
// how many clients; how long until what they saw is judged and forgotten.
const (
	soakNodes   = 5
	soakClients = 16
	soakRound   = 2 * time.Minute
	// What the paper says of two years: 99.9995 % answered (section 6.6).
	soakUnanswered = 5 // of a million
)

// TestSoak runs for as long as OURO_SOAK says while nodes are killed, stopped, cut
// off, slowed down, joined and let go, one at a time, so that a quorum is always up.
// Nothing that was acknowledged is lost, and of a million requests at most five are not
// answered:
//
//	OURO_SOAK=1h go test ./test/e2e -run TestSoak -v -timeout 90m
//
// A client asks another node where one does not answer, under the same request id, for
// ten seconds; what is not done then is unanswered.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("OURO_SOAK"))
	if err != nil {
		t.Skip("set OURO_SOAK to how long it is to take, such as 1h")
	}
	c := start(t, "", soakNodes)
	seed := uint64(time.Now().UnixNano()) % 1e6
	s := &soak{cluster: c, nemesis: nemesis{c: c, rand: rand.New(rand.NewPCG(seed, 3)), wounds: map[string]int{}}, seed: seed}
	t.Logf("seed %d: it draws what is asked and what breaks, not when", seed)
	for began := time.Now(); time.Since(began) < length && !t.Failed(); {
		s.round(began.Add(length))
	}
	c.noAlarms()
	perMillion := float64(s.unanswered) * 1e6 / float64(max(s.ops, 1))
	t.Logf("%d requests in %v; not answered: %d, %.1f of a million; attempts that failed and were made at another node: %d; %v", s.ops, length, s.unanswered, perMillion, s.vain, s.wounds)
	if perMillion > soakUnanswered {
		t.Errorf("%.1f of a million requests were not answered while a quorum was up", perMillion)
	}
	if length >= time.Hour && s.ops < 1e6 {
		t.Errorf("an hour had only %d requests", s.ops)
	}
}

// soak is a cluster that is used and broken for long.
type soak struct {
	*cluster
	nemesis
	seed       uint64
	rounds     int
	ops        int
	unanswered int64
	vain       int64
}

// round lets clients use keys of their own while nodes are broken in turn; then it
// heals all and judges what they saw.
func (s *soak) round(until time.Time) {
	s.rounds++
	l := newLoad(s.cluster, s.seed+uint64(s.rounds))
	l.stubborn, l.bucket = true, fmt.Sprint("soak", s.rounds)
	l.start(soakClients)
	for end := time.Now().Add(soakRound); time.Now().Before(end) && time.Now().Before(until); {
		s.hurtOne(l)
	}
	s.heal()
	l.stop()
	s.noHints()
	stats, broken := l.rec.judge(l.final)
	if broken != nil {
		s.t.Errorf("round %d: %v", s.rounds, broken)
		s.keep()
	}
	s.equalReplicas(l.bucket, chaosKeys)
	s.ops += l.rec.ops
	s.unanswered += l.refused.Load() + l.unknown.Load()
	s.vain += l.vain.Load()
	s.t.Logf("round %d: %d requests, %d not answered, %d reads checked; failed attempts %v", s.rounds, l.rec.ops, l.refused.Load()+l.unknown.Load(), stats.Reads, l.failed)
}

// hurtOne breaks one node and mends it, or lets one join or leave. Every kind has its
// turn.
func (s *soak) hurtOne(l *load) {
	one := []int{s.number(s.rand.IntN(len(s.Nodes)))}
	wait := func(least, most int) { time.Sleep(time.Duration(least+s.rand.IntN(most-least)) * time.Millisecond) }
	pair := func(name string, hurt, mend dev.Command, most int) {
		s.wounds[name]++
		s.do(hurt)
		wait(300, most)
		s.do(mend)
	}
	switch s.turn++; s.turn % 6 {
	case 0:
		pair("kill", dev.Command{Verb: dev.Kill, Nodes: one}, dev.Command{Verb: dev.Start, Nodes: one}, 3000)
	case 1:
		pair("pause", dev.Command{Verb: dev.Pause, Nodes: one}, dev.Command{Verb: dev.Resume, Nodes: one}, 2500)
	case 2:
		pair("cut", dev.Command{Verb: dev.Cut, Nodes: one}, dev.Command{Verb: dev.Heal, Nodes: one}, 3000)
	case 3:
		pair("one-way", dev.Command{Verb: dev.Cut, Nodes: one, OneWay: true}, dev.Command{Verb: dev.Heal, Nodes: one}, 2500)
	case 4:
		by := time.Duration(20+s.rand.IntN(400)) * time.Millisecond
		pair("slow", dev.Command{Verb: dev.Slow, Nodes: one, By: by}, dev.Command{Verb: dev.Heal, Nodes: one}, 2000)
	default:
		s.changeRing(l)
	}
	wait(200, 800) // all is well for a moment, and who was away comes up
}

// changeRing lets a sixth node join, or the sixth leave. Who leaves is asked nothing
// more before it goes.
func (s *soak) changeRing(l *load) {
	if len(s.Nodes) > soakNodes {
		last := s.number(len(s.Nodes) - 1)
		s.Nodes = s.Nodes[:soakNodes]
		l.lastAt(s.cluster)
		s.wounds["leave"]++
		s.dev("remove", strconv.Itoa(last))
		return
	}
	s.wounds["join"]++
	s.dev("add")
	info, err := dev.ReadInfo(s.Dir)
	if err != nil {
		s.t.Fatal(err)
	}
	n := info.Nodes[len(info.Nodes)-1]
	s.Nodes = append(s.Nodes, s.Nodes[0])
	last := &s.Nodes[len(s.Nodes)-1]
	last.ID, last.Client, last.Peer, last.Admin, last.RESP, last.Data, last.PID = n.ID, n.Client, n.Peer, n.Admin, n.RESP, n.Data, n.PID
	l.lastAt(s.cluster)
}

// number is a node's in the commands of the dev cluster, by its place among those that
// are in it.
func (s *soak) number(place int) int {
	n, err := strconv.Atoi(s.Nodes[place].ID[1:])
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
