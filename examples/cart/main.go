// Command cart is a shopping cart in Ouro, as in the paper (sections 4.4 and 6.3):
// what is added is never lost, whoever else adds at the same time and whatever fails.
//
//	go run ./examples/cart alice add apple 2
//	go run ./examples/cart alice remove apple
//	go run ./examples/cart alice
//
// OURO_ADDR names one node or several, separated by commas.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("OURO_ADDR")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, addrs string) error {
	if addrs == "" {
		addrs = "127.0.0.1:7070"
	}
	cluster, err := client.Connect(strings.Split(addrs, ","))
	if err != nil {
		return err
	}
	defer cluster.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	carts := Carts(cluster)
	var cart Cart
	switch {
	case len(args) == 1:
		cart, _, err = carts.Get(ctx, keyOf(args[0]))
	case len(args) == 4 && args[1] == "add":
		n, bad := strconv.Atoi(args[3])
		if bad != nil || n < 1 {
			return fmt.Errorf("%q is no number of things", args[3])
		}
		cart, err = Add(ctx, carts, args[0], args[2], n)
	case len(args) == 3 && args[1] == "remove":
		cart, err = Remove(ctx, carts, args[0], args[2])
	default:
		return errors.New("usage: cart WHO [add ITEM NUMBER | remove ITEM]")
	}
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		return err
	}
	for _, item := range slices.Sorted(maps.Keys(cart)) {
		fmt.Println(cart[item], item)
	}
	return nil
}
