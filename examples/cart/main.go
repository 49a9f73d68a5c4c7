// Command cart is a shopping cart in Ouro, as in the paper (sections 4.4 and 6.3):
// what is added is never lost, whoever else adds at the same time and whatever fails.
//
//	go run ./examples/cart alice add apple 2
//	go run ./examples/cart alice remove apple
//	go run ./examples/cart alice
//
// OURO_ADDR names one node or several, separated by commas. Without arguments it plays
// what becomes of a cart while a cluster is cut in two: in a simulated one, or in the
// one that 'ouro dev --dir DIR' runs.
//
//	go run ./examples/cart
//	go run ./examples/cart -dev ./cluster
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/examples/stage"
)

func main() {
	dir := flag.String("dev", "", "folder of a dev cluster to play in; none: a simulated one")
	flag.Parse()
	var err error
	if flag.NArg() > 0 {
		err = run(flag.Args(), os.Getenv("OURO_ADDR"))
	} else if s, bad := stage.Open(*dir); bad != nil {
		err = bad
	} else {
		_, err = play(os.Stdout, s, fmt.Sprint("alice-", time.Now().UnixNano()))
	}
	if err != nil {
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
