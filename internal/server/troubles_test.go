package server

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTroublesAreBoundedAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all troubles
		all.tell("n2", "n2 is refused")
		all.tell("n1", "n1 is refused")
		all.tell("n1", "n1 is still refused")
		if got := all.list(); !slices.Equal(got, []string{"n1 is still refused", "n2 is refused"}) {
			t.Errorf("%q", got)
		}
		all.end("n2")
		time.Sleep(troubleAge - time.Second)
		for i := range 3 * troubleMax {
			all.tell(fmt.Sprint("stranger ", i), fmt.Sprint(i))
		}
		if got := all.list(); len(got) != troubleMax || slices.Contains(got, "n2 is refused") {
			t.Errorf("%d: %q", len(got), got)
		}
		time.Sleep(2 * time.Second)
		if got := all.list(); slices.Contains(got, "n1 is still refused") {
			t.Errorf("what has ended is shown: %q", got)
		}
		time.Sleep(troubleAge)
		if all.tell("n3", "n3 is refused"); !slices.Equal(all.list(), []string{"n3 is refused"}) {
			t.Errorf("%q", all.list())
		}
	})
}
