package resp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/oracle"
)

// No short command makes an answer of any length, by naming one thing again and again.
func TestAnswersAreBounded(t *testing.T) {
	const big, most = 10_000, 100_000
	p := dial(t, start(t, Config{Mode: func(string) string { return modeTypes }, MaxReply: most, MaxValue: big, MaxOutput: 1}, oracle.NewTypes()))
	word := strings.Repeat("x", big)
	for _, words := range [][]string{{"SET", "s", word}, {"HSET", "h", "f", word}, {"SADD", "m", word}, {"ZADD", "z", "1", word}} {
		p.do(words...)
	}
	for i := range 20 {
		p.do("SADD", fmt.Sprint("m", i), fmt.Sprint(i, word))
	}
	many := func(n int, words ...string) []string {
		for range n {
			words = append(words, words[len(words)-1])
		}
		return words
	}
	sets := []string{"SUNION"}
	for i := range 20 {
		sets = append(sets, fmt.Sprint("m", i))
	}
	for _, c := range []struct{ under, over []string }{
		{many(8, "MGET", "s"), many(9, "MGET", "s")},
		{many(8, "HMGET", "h", "f"), many(9, "HMGET", "h", "f")},
		{[]string{"HRANDFIELD", "h", "-9", "WITHVALUES"}, []string{"HRANDFIELD", "h", "-10", "WITHVALUES"}},
		{[]string{"SRANDMEMBER", "m", "-9"}, []string{"SRANDMEMBER", "m", "-10"}},
		{[]string{"ZRANDMEMBER", "z", "-9"}, []string{"ZRANDMEMBER", "z", "-10"}},
		{sets[:10], sets},
	} {
		// Alone, and many side by side, where they wait for each other.
		for _, n := range []int{1, 20} {
			p.send(strings.Repeat(encode(c.under...)+encode(c.over...), n))
			for range n {
				if got := fmt.Sprint(p.answer()); len(got) < 9*big || strings.HasPrefix(got, "-") {
					t.Fatalf("%.30q under the bound: %.100s", c.under, got)
				}
				if got := fmt.Sprint(p.answer()); !strings.HasPrefix(got, "-ERR too_large not_done: ") {
					t.Fatalf("%.30q over the bound: %.100s", c.over, got)
				}
			}
		}
	}
	p.expect("PONG", "PING")
}
