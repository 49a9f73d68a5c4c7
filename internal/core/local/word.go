package local

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/place"
)

// Word is by what right a replica answered from its own copy, and what that holds. Two
// words are of the same read only where they are equal.
type Word struct {
	// Chain and Number name the lists of the partition; zero where they never change. Chain
	// is the first link, and the founding before there is one (decision 0034).
	Chain  place.Hash
	Number uint64
	// N is how many replicas the key has, Need how many must answer the read by the
	// numbers in force, r or pr. What is shown of a state depends on Mode, the bucket's.
	N, Need int
	Mode    string
	// State is the digest of the copy; Absent says that nothing is stored.
	Absent bool
	State  causal.Sum
}

// maxWord bounds the text of a word, in bytes.
const maxWord = 256

// String returns the word as the Ouro-Local header has it.
func (w *Word) String() string {
	state := "absent"
	if !w.Absent {
		state = fmt.Sprintf("%016x%016x", w.State.Hi, w.State.Lo)
	}
	return fmt.Sprintf("list=%x.%d n=%d need=%d mode=%s state=%s", w.Chain[:], w.Number, w.N, w.Need, w.Mode, state)
}

// Parse reads the text of a word; false where it is none.
func Parse(text string) (w Word, ok bool) {
	if len(text) > maxWord {
		return Word{}, false
	}
	given := map[string]string{}
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		given[name] = value
	}
	chain, number, _ := strings.Cut(given["list"], ".")
	var errs [4]error
	var b []byte
	b, errs[0] = hex.DecodeString(chain)
	w.Number, errs[1] = strconv.ParseUint(number, 10, 64)
	w.N, errs[2] = strconv.Atoi(given["n"])
	w.Need, errs[3] = strconv.Atoi(given["need"])
	w.Mode = given["mode"]
	for _, err := range errs {
		if err != nil {
			return Word{}, false
		}
	}
	if copy(w.Chain[:], b) != len(w.Chain) || len(b) != len(w.Chain) || !w.digest(given["state"]) {
		return Word{}, false
	}
	return w, w.String() == text // there is one text of each
}

func (w *Word) digest(text string) bool {
	if w.Absent = text == "absent"; w.Absent {
		return true
	}
	if len(text) != 32 {
		return false
	}
	var errs [2]error
	w.State.Hi, errs[0] = strconv.ParseUint(text[:16], 16, 64)
	w.State.Lo, errs[1] = strconv.ParseUint(text[16:], 16, 64)
	return errs == [2]error{}
}

// Said is the word of a node.
type Said struct {
	Node string
	Word Word
}

// Agree says whether what nodes said is the answer of a read: they are as many as must
// answer, different ones, and say the same.
func Agree(said []Said) bool {
	for i := range said {
		if said[i].Node == "" || said[i].Word != said[0].Word {
			return false
		}
		for j := range said[:i] {
			if said[j].Node == said[i].Node {
				return false
			}
		}
	}
	return len(said) > 0 && said[0].Word.Need > 0 && len(said) >= said[0].Word.Need
}
