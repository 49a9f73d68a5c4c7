package coord

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/replica"
)

// TestEveryFailureIsExplained: whoever asks for a request to be explained, or is
// refused by a disk, is told why, and never that no reason was given.
func TestEveryFailureIsExplained(t *testing.T) {
	none := note(&replica.Answer{Status: replica.Failed})
	for r := replica.Overloaded; r <= replica.Overflow; r++ {
		if got := note(&replica.Answer{Status: replica.Failed, Reason: r}); got == none {
			t.Errorf("%v is explained as %q", r, got)
		}
	}
}
