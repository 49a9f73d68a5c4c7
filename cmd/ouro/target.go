package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

const (
	defaultAddr   = "127.0.0.1:7070"
	adminOffset   = 2 // the admin port is the client port + 2 unless told otherwise
	adminPatience = 15 * time.Second
	// How long a node may take to begin its answer, or longer than the --timeout of
	// the request. A page of keys is of many partitions, some of them in turn, each of
	// which may take as long as a request.
	answerPatience = 30 * time.Second
	answerGrace    = 5 * time.Second
	pagePatience   = 2 * time.Minute
	pageTurns      = 16
	maxInput       = 64 << 20 // bytes of a value read from standard input
)

// target is the node that a verb talks to.
type target struct{ addr, admin string }

// addFlags adds --addr, and --admin where the verb looks inside a node.
func (t *target) addFlags(cmd *cobra.Command, admin bool) {
	cmd.Flags().StringVar(&t.addr, "addr", "", "`address` of the node's client port (OURO_ADDR, else "+defaultAddr+")")
	if admin {
		cmd.Flags().StringVar(&t.admin, "admin", "", "`address` of its admin port (OURO_ADMIN, else the client port + 2)")
	}
}

// client returns the address of the client port.
func (t *target) client() (string, error) {
	addr, from := t.addr, "--addr"
	if addr == "" {
		addr, from = os.Getenv("OURO_ADDR"), "OURO_ADDR"
	}
	if addr == "" {
		return defaultAddr, nil
	}
	return addr, checkAddr(addr, from)
}

// adminAddr returns the address of the admin port.
func (t *target) adminAddr() (string, error) {
	addr, from := t.admin, "--admin"
	if addr == "" && t.addr == "" {
		addr, from = os.Getenv("OURO_ADMIN"), "OURO_ADMIN"
	}
	if addr != "" {
		return addr, checkAddr(addr, from)
	}
	client, err := t.client()
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(client)
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, strconv.Itoa(n+adminOffset)), nil
}

func checkAddr(addr, from string) error {
	host, port, err := net.SplitHostPort(addr)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
		return wrongUse("%s %q: it is HOST:PORT, such as %s", from, addr, defaultAddr)
	}
	return nil
}

// store returns the store behind the client port, whose node may take so long to
// answer.
func (t *target) store(patience time.Duration) (*client.Client, error) {
	addr, err := t.client()
	if err != nil {
		return nil, err
	}
	return client.New(addr, client.AnswerWithin(patience))
}

// inside calls ask with the admin calls of the node.
func (t *target) inside(ctx context.Context, ask func(context.Context, *client.Admin) error) error {
	addr, err := t.adminAddr()
	if err != nil {
		return err
	}
	admin, err := client.NewAdmin(addr)
	if err != nil {
		return err
	}
	defer admin.Close()
	ctx, cancel := context.WithTimeout(ctx, adminPatience)
	defer cancel()
	if err := ask(ctx, admin); err != nil {
		return adviseUnanswered(err, "--admin")
	}
	return nil
}

// parseKey reads BUCKET/KEY: the key is everything after the first slash.
func parseKey(text string) (ouro.Key, error) {
	bucket, name, ok := strings.Cut(text, "/")
	if !ok {
		return ouro.Key{}, wrongUse("%q is not BUCKET/KEY, such as greetings/hello", text)
	}
	key := ouro.Key{Bucket: bucket, Name: name}
	if err := key.Validate(); err != nil {
		var e *ouro.Error
		if errors.As(err, &e) {
			return key, wrongUse("%s", e.Message)
		}
		return key, err
	}
	return key, nil
}
