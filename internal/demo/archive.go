package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/archive"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// archives are the keys of the demonstration, and where its files are.
type archives struct {
	dir               string
	keys              []ouro.Key
	twin, gone, newer ouro.Key
}

func (a *archives) work(step func()) *archive.Work {
	return &archive.Work{Dir: a.dir, Workers: 1, Step: step}
}

func archiveAndRestore(s *Scene) {
	dir, err := os.MkdirTemp("", "ouro-demo-")
	if err != nil {
		s.expect("a folder", "made", err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is in the folder for what is temporary
	named := func(name string) ouro.Key { return ouro.Key{Bucket: "demo", Name: name} }
	a := &archives{dir: dir, twin: named("twin"), gone: named("gone"), newer: named("k0")}
	for i := range 40 {
		a.keys = append(a.keys, named(fmt.Sprint("k", i)))
	}
	a.create(s)
	a.verify(s)
	a.restore(s)
}

// create archives a cluster of three, one of which is down for a while.
func (a *archives) create(s *Scene) {
	s.begin(sim.Config{Q: 8, Nodes: nodes("A", "B", "C"), Buckets: all(numbers(3, 2, 2))})
	for _, key := range a.keys {
		s.put("A", key, "v")
	}
	s.put("A", a.twin, "one")
	s.put("B", a.twin, "two")
	s.put("A", a.gone, "x")
	if _, err := s.Delete("B", a.gone).Wait(); err != nil {
		s.expect("a delete", "done", err)
	}
	s.say("A is asked for an archive of 8 partitions. While it is made C is down, and comes back.")
	partition := 0
	err := a.work(func() {
		switch partition++; partition {
		case 2:
			s.Crash("C")
		case 5:
			s.Restart("C")
		}
	}).Create(context.Background(), &archive.Manifest{Cluster: "three", Q: 8, Buckets: []string{"demo"}}, s.Archivist("A"))
	s.expect("the archive", "whole", outcome(err, "whole"))
}

func (a *archives) manifest(s *Scene) *archive.Manifest {
	m, err := archive.Load(a.dir)
	if err != nil {
		s.expect("the archive's own file", "read", err)
		return &archive.Manifest{}
	}
	return m
}

// verify reads the files, with a flipped bit and without.
func (a *archives) verify(s *Scene) {
	m := a.manifest(s)
	s.expect("records in it", 41, m.Total().Records)
	s.expect("files that are not what was written", 0, len(m.Verify(a.dir, func() {})))
	name := filepath.Join(a.dir, "partition-000003.ouro")
	flip(s, name)
	wrong := m.Verify(a.dir, func() {})
	s.expect("the same with a bit flipped in one", "1 damaged", fmt.Sprint(len(wrong), " ", word(len(wrong) > 0 && errors.Is(wrong[0], archive.ErrDamaged), "damaged")))
	flip(s, name)
}

func word(is bool, word string) string {
	if is {
		return word
	}
	return "not " + word
}

func flip(s *Scene, name string) {
	b, err := os.ReadFile(name)
	if err == nil {
		b[len(b)/2] ^= 1
		err = os.WriteFile(name, b, 0o600)
	}
	if err != nil {
		s.expect("a bit", "flipped", err)
	}
}

// restore merges the archive into a cluster of five with other partitions, twice.
func (a *archives) restore(s *Scene) {
	s.say("A cluster of five nodes and 32 partitions takes it, which knows nothing of the first.")
	s.begin(sim.Config{Q: 32, Seed: 2, Nodes: nodes("A", "B", "C", "D", "E"), Buckets: all(numbers(3, 2, 2))})
	a.merge(s, "A")
	there := 0
	for _, key := range a.keys {
		if res, err := s.Get("E", key, ouro.R(3)).Wait(); err == nil && slices.Equal(values(res), []string{"v"}) {
			there++
		}
	}
	s.expect("keys that show their value on all replicas", len(a.keys), there)
	s.shows("B", a.twin, []string{"one", "two"}, ouro.R(3))
	s.say("What was deleted before is not there.")
	s.shows("B", a.gone, nil, ouro.R(3))
	s.say("A key is written anew, and the archive restored once more.")
	seen := s.shows("B", a.newer, []string{"v"})
	s.put("B", a.newer, "newer", ouro.WithContext(seen.Context))
	a.merge(s, "D")
	s.shows("C", a.newer, []string{"newer"}, ouro.R(3))
	s.shows("B", a.twin, []string{"one", "two"}, ouro.R(3))
}

func (a *archives) merge(s *Scene, at ring.NodeID) {
	sum, err := a.work(func() {}).Restore(context.Background(), a.manifest(s), s.Archivist(at))
	s.expect("records restored", "41, done", fmt.Sprintf("%d, %s", sum.Records, outcome(err, "done")))
}

// outcome is the error, or what was done where there is none.
func outcome(err error, done string) string {
	if err != nil {
		return err.Error()
	}
	return done
}
