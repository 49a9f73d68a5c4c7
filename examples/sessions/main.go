// Sessions are kept in a bucket that shows the last write (paper, section 6:
// timestamp based reconciliation). A clock that is wrong loses an update; knowing what
// was written before does not.
//
//	go run ./examples/sessions
//
// The cluster is simulated, since nobody wants the clocks of real machines set wrong.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/examples/stage"
)

func main() {
	s, err := stage.NewSimulated()
	if err == nil {
		_, err = play(os.Stdout, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// session is one visitor's, through one node.
type session struct {
	store ouro.Store
	key   ouro.Key
}

func (s session) set(page string) error {
	_, err := s.store.Put(context.Background(), s.key, ouro.Value{Data: []byte(page)}, ouro.W(1))
	return err
}

func (s session) page() (string, error) {
	res, err := s.store.Get(context.Background(), s.key)
	if err != nil {
		return "", err
	}
	if len(res.Siblings) != 1 {
		return "", fmt.Errorf("a bucket of mode lww shows %d versions", len(res.Siblings))
	}
	return string(res.Siblings[0].Data), nil
}

// ahead is by how much the clock of node 1 is wrong.
const ahead = 10 * time.Second

// play writes a session twice on two sides of a cut, and once more after it. It
// returns what was shown after each.
func play(out io.Writer, s *stage.Simulated) (shown []string, err error) {
	key := ouro.Key{Bucket: stage.LWW, Name: "visitor"}
	show := func(what string) error {
		page, err := session{s.Store(3), key}.page()
		if err != nil {
			return err
		}
		shown = append(shown, page)
		stage.Say(out, "%s: the session is at %q", what, page)
		return nil
	}
	s.Skew(1, ahead)
	stage.Say(out, "The clock of node 1 is %v ahead. Node 1 is cut off from the others.", ahead)
	if err := s.Cut(1); err != nil {
		return nil, err
	}
	if err := (session{s.Store(1), key}).set("home"); err != nil {
		return nil, err
	}
	s.Wait(5 * time.Second)
	if err := (session{s.Store(2), key}).set("checkout"); err != nil {
		return nil, err
	}
	stage.Say(out, `Node 1 took "home", and five seconds later node 2 took "checkout". Both acknowledged.`)
	if err := s.Heal(); err != nil {
		return nil, err
	}
	if err := show("The cut is healed"); err != nil {
		return nil, err
	}
	stage.Say(out, `"checkout" was written later and is lost: its stamp, by a clock that is right, is the lesser one.`)
	s.Wait(time.Second)
	if err := (session{s.Store(2), key}).set("receipt"); err != nil {
		return nil, err
	}
	if err := show(`Node 2 takes "receipt"`); err != nil {
		return nil, err
	}
	stage.Say(out, "By now node 2 holds the version of node 1, so it stamps what it takes one higher, though its clock is still behind. Only writers that know nothing of each other are at the mercy of clocks.")
	return shown, nil
}
