// Catalogue is a read engine (paper, section 6): r=1 and w=n. A read asks one replica
// and is never stale; a write needs them all.
//
//	go run ./examples/catalogue                  in a simulated cluster
//	go run ./examples/catalogue -dev ./cluster   in one that 'ouro dev --dir ./cluster' runs, of three nodes
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/examples/stage"
)

func main() {
	dir := flag.String("dev", "", "folder of a dev cluster; none: a simulated one")
	flag.Parse()
	s, err := stage.Open(*dir)
	if err == nil {
		_, err = play(os.Stdout, s, time.Now().String())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// catalogue has prices, through one node.
type catalogue struct {
	store ouro.Store
	w     int // replicas that must have a price
}

func key(product string) ouro.Key { return ouro.Key{Bucket: "catalogue", Name: product} }

// price asks one replica: the nearest.
func (c catalogue) price(product string) (string, error) {
	res, err := c.store.Get(context.Background(), key(product), ouro.R(1))
	if err != nil {
		return "", err
	}
	return string(res.Siblings[len(res.Siblings)-1].Data), nil
}

// set writes a price to w replicas, all of them primaries: a stand-in would have it,
// and the node that it stands in for would go on showing the old one.
func (c catalogue) set(product, price string) error {
	res, err := c.store.Get(context.Background(), key(product), ouro.R(1))
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		return err
	}
	_, err = c.store.Put(context.Background(), key(product), ouro.Value{Data: []byte(price)}, ouro.WithContext(res.Context), ouro.W(c.w), ouro.PW(c.w))
	return err
}

// outcome is what an act of play showed.
type outcome struct {
	stale, staleWithOne int  // of so many reads after a write of all, and of one, replicas
	refused             bool // a write with one node down
	served              int  // reads with one node down
}

const products = 50

// play counts stale reads with w=3 and with w=1, and lets a node fail.
func play(out io.Writer, s stage.Stage, run string) (o outcome, err error) {
	for _, w := range []int{stage.Nodes, 1} {
		stale := 0
		for i := range products {
			product := fmt.Sprint(run, " ", w, " ", i)
			if err := (catalogue{s.Store(1), stage.Nodes}).set(product, "old"); err != nil {
				return o, err
			}
			if err := (catalogue{s.Store(1), w}).set(product, "new"); err != nil {
				return o, err
			}
			price, err := catalogue{store: s.Store(2)}.price(product)
			if err != nil {
				return o, err
			}
			if price != "new" {
				stale++
			}
		}
		stage.Say(out, "w=%d: of %d prices read at another node the moment a change was acknowledged, %d were the old ones.", w, products, stale)
		if w == 1 {
			o.staleWithOne = stale
		} else {
			o.stale = stale
		}
	}
	if err := s.Kill(3); err != nil {
		return o, err
	}
	product := fmt.Sprint(run, " ", stage.Nodes, " ", 0)
	err = catalogue{s.Store(1), stage.Nodes}.set(product, "newer")
	o.refused = ouro.CodeOf(err) == ouro.QuorumUnavailable
	stage.Say(out, "Node 3 is down. A change of a price: %v.", err)
	for i := range products {
		if price, err := (catalogue{store: s.Store(1 + i%2)}).price(fmt.Sprint(run, " ", stage.Nodes, " ", i)); err == nil && price == "new" {
			o.served++
		}
	}
	stage.Say(out, "Of %d prices, read at the other two nodes, %d are shown as they were last changed.", products, o.served)
	if err := s.Start(3); err != nil {
		return o, err
	}
	if err := (catalogue{s.Store(1), stage.Nodes}).set(product, "newer"); err != nil {
		return o, err
	}
	stage.Say(out, "Node 3 is back, and the price can be changed.")
	return o, nil
}
