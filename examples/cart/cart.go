package main

import (
	"context"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// Cart is how many of each item are in a cart.
type Cart map[string]int

// Carts are the carts in a store. Versions that were written without knowledge of
// each other are merged so that an item that is in any of them is in the cart, in the
// greatest number. So an item that was removed may come back, as the paper's do, but
// none that was added is lost.
func Carts(store ouro.Store) *client.Values[Cart] {
	return &client.Values[Cart]{Store: store, Codec: client.JSON[Cart](), Resolve: merge}
}

func merge(versions []Cart) (Cart, error) {
	all := Cart{}
	for _, cart := range versions {
		for item, n := range cart {
			all[item] = max(all[item], n)
		}
	}
	return all, nil
}

func keyOf(who string) ouro.Key { return ouro.Key{Bucket: "carts", Name: who} }

// Add sees to it that there are n of an item in a cart, or more. To say how many there
// shall be, and not how many more, makes it safe to repeat.
func Add(ctx context.Context, carts *client.Values[Cart], who, item string, n int) (Cart, error) {
	cart, _, err := carts.Update(ctx, keyOf(who), func(cart Cart) (Cart, error) {
		return merge([]Cart{cart, {item: n}})
	})
	return cart, err
}

// Remove takes an item out of a cart.
func Remove(ctx context.Context, carts *client.Values[Cart], who, item string) (Cart, error) {
	cart, _, err := carts.Update(ctx, keyOf(who), func(cart Cart) (Cart, error) {
		left, _ := merge([]Cart{cart})
		delete(left, item)
		return left, nil
	})
	return cart, err
}
