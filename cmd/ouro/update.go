package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
)

const updateLong = `Change a key of a bucket of mode types, where nodes merge what clients write:

  counter add [NUMBER]             1 where none is given; -- -5 subtracts 5
  set add MEMBER...                and: set remove MEMBER...
  map set FIELD=VALUE...           and: map add FIELD=NUMBER..., map remove FIELD...
  sorted-set set MEMBER=SCORE...   and: sorted-set add MEMBER=NUMBER..., sorted-set remove MEMBER...
  register set VALUE

What is changed at two nodes at once adds up: no increment is lost, and what one adds
while another removes it stays. 'ouro bucket set NAME --mode types' makes such a bucket.
A name that contains = can't be given here; the HTTP interface takes any.`

func newUpdateCommand() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "update BUCKET/KEY TYPE ACTION [WHAT...]",
		Short: "Change a counter, set, map or sorted set",
		Long:  updateLong,
		Example: `  ouro update visits/home counter add
  ouro update tags/cat set add grey small
  ouro update users/alice map set name=Alice city=Paris
  ouro update scores/week sorted-set add alice=10`,
		Args: cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			u, err := parseUpdate(args[1], args[2], args[3:])
			if err != nil {
				return err
			}
			store, opts, err := f.open(cmd)
			if err != nil {
				return err
			}
			res, err := store.Update(cmd.Context(), key, u, opts...)
			return finish(cmd, key, res, err, func(w io.Writer) {
				fmt.Fprintf(w, "updated %s, %s new or gone, %s\n", key, plural(res.Changed, "element"), reached(res))
				printTyped(w, res.Typed)
			})
		},
	}
	f.add(cmd, reads|writes)
	return cmd
}

// updates are what the command line calls each update.
var updates = map[string]ouro.Update{
	"counter add":       {Kind: ouro.Counter, Act: ouro.Increment},
	"set add":           {Kind: ouro.Set, Act: ouro.Assign},
	"set remove":        {Kind: ouro.Set, Act: ouro.Remove},
	"map set":           {Kind: ouro.Map, Act: ouro.Assign},
	"map add":           {Kind: ouro.Map, Act: ouro.Increment},
	"map remove":        {Kind: ouro.Map, Act: ouro.Remove},
	"sorted-set set":    {Kind: ouro.SortedSet, Act: ouro.Assign},
	"sorted-set add":    {Kind: ouro.SortedSet, Act: ouro.Increment},
	"sorted-set remove": {Kind: ouro.SortedSet, Act: ouro.Remove},
	"register set":      {Kind: ouro.Register, Act: ouro.Assign},
}

// parseUpdate reads what is to be done.
func parseUpdate(kind, act string, what []string) (ouro.Update, error) {
	u, ok := updates[kind+" "+act]
	if !ok {
		return u, wrongUse("there is no %q of a %q: see 'ouro update --help'", act, kind)
	}
	if u.Kind == ouro.Counter && len(what) == 0 {
		what = []string{"1"}
	}
	if single := u.Kind == ouro.Counter || u.Kind == ouro.Register; len(what) == 0 || single && len(what) > 1 {
		return u, wrongUse("%s %s takes %s", kind, act, map[bool]string{true: "one argument", false: "one argument or more"}[single])
	}
	for _, text := range what {
		e, err := parseElement(&u, text)
		if err != nil {
			return u, wrongUse("%q: %v", text, err)
		}
		u.Elements = append(u.Elements, e)
	}
	return u, nil
}

// parseElement reads one argument of an update.
func parseElement(u *ouro.Update, text string) (e ouro.Element, err error) {
	switch {
	case u.Kind == ouro.Counter:
		e.By, err = strconv.ParseInt(text, 10, 64)
		return e, wanted(err, "a whole number")
	case u.Kind == ouro.Register:
		e.Value = []byte(text)
		return e, nil
	case u.Kind == ouro.Set || u.Act == ouro.Remove:
		e.Name = text
		return e, nil
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return e, fmt.Errorf("give NAME=VALUE")
	}
	e.Name = name
	switch {
	case u.Kind == ouro.SortedSet:
		if e.Score, err = strconv.ParseFloat(value, 64); math.IsNaN(e.Score) {
			err = strconv.ErrSyntax
		}
		err = wanted(err, "MEMBER=SCORE, a number")
	case u.Act == ouro.Increment:
		e.By, err = strconv.ParseInt(value, 10, 64)
		err = wanted(err, "FIELD=NUMBER, a whole one")
	default:
		e.Value = []byte(value)
	}
	return e, err
}

// wanted says what to give in place of something that can't be read.
func wanted(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("give %s", what)
}

// printTyped shows what a data type holds, or its elements that were named.
func printTyped(w io.Writer, t *ouro.Typed) {
	if t == nil {
		return
	}
	if t.Kind == ouro.Counter {
		fmt.Fprintln(w, t.Count)
	}
	tab := newTable(w)
	for _, e := range t.Elements {
		name := shownText([]byte(e.Name))
		switch t.Kind {
		case ouro.Map:
			tab.row(name, shownText(e.Value))
		case ouro.SortedSet:
			tab.row(name, strconv.FormatFloat(e.Score, 'g', -1, 64))
		default:
			tab.row(name)
		}
	}
	tab.flush() //nolint:errcheck // as with every other line here
	if !t.Expires.IsZero() {
		fmt.Fprintf(w, "until %s\n", t.Expires.UTC().Format(time.RFC3339))
	}
}

// shownText is a name or value in one line.
func shownText(b []byte) string {
	if quoted := strconv.Quote(string(b)); quoted[1:len(quoted)-1] != string(b) {
		return quoted
	}
	return string(b)
}
