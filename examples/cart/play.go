package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/examples/stage"
)

// always is a store in which a cart can be looked at and added to whatever is down:
// one replica is enough to read it and one to write it.
type always struct{ ouro.Store }

func (s always) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return s.Store.Get(ctx, key, append(opts, ouro.R(1))...)
}

func (s always) Put(ctx context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	return s.Store.Put(ctx, key, value, append(opts, ouro.W(1))...)
}

// whole is a store as seen by all replicas.
type whole struct{ ouro.Store }

func (s whole) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return s.Store.Get(ctx, key, append(opts, ouro.R(3))...)
}

func told(cart Cart) string { return strings.Join(slices.Sorted(maps.Keys(cart)), ", ") }

// play lets a customer use a cart from a phone and from a laptop, whose nodes lose
// sight of each other. It returns what the cart has in the end.
func play(out io.Writer, s stage.Stage, who string) (Cart, error) {
	ctx := context.Background()
	phone, laptop := Carts(always{s.Store(1)}), Carts(always{s.Store(2)})
	for _, item := range []string{"book", "lamp"} {
		if _, err := Add(ctx, laptop, who, item, 1); err != nil {
			return nil, err
		}
	}
	s.Wait(time.Second)
	stage.Say(out, "The cart has a book and a lamp. Then node 1, which the phone uses, is cut off from the others.")
	if err := s.Cut(1); err != nil {
		return nil, err
	}
	onPhone, err := Add(ctx, phone, who, "pen", 1)
	if err != nil {
		return nil, fmt.Errorf("add on the small side: %w", err)
	}
	onLaptop, err := Remove(ctx, laptop, who, "lamp")
	if err != nil {
		return nil, fmt.Errorf("remove on the large side: %w", err)
	}
	stage.Say(out, "Neither is refused. The phone adds a pen and shows: %s. The laptop takes the lamp out and shows: %s.", told(onPhone), told(onLaptop))
	if err := s.Heal(); err != nil {
		return nil, err
	}
	res, err := s.Store(3).Get(ctx, keyOf(who), ouro.R(3))
	if err != nil {
		return nil, err
	}
	cart, _, err := Carts(whole{s.Store(3)}).Update(ctx, keyOf(who), func(cart Cart) (Cart, error) { return cart, nil })
	if err != nil {
		return nil, err
	}
	stage.Say(out, "The cut is healed, and node 3 has %d versions, which merge to: %s.", len(res.Siblings), told(cart))
	if cart, _, err = Carts(whole{s.Store(1)}).Get(ctx, keyOf(who)); err != nil {
		return nil, err
	}
	stage.Say(out, "Written back they are one version: %s.", told(cart))
	stage.Say(out, "The pen is not lost. The lamp, which the laptop had removed, is back: the phone's version has it, and nothing in it says that it was taken out.")
	return cart, nil
}
