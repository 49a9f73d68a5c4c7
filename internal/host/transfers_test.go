package host

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/transfer"
)

// TestTransferInfo: an operator sees who gives to whom, who is waited for, and why
// it does not go on.
func TestTransferInfo(t *testing.T) {
	p := transfer.Pending{
		Partition: 3, Peers: []ring.NodeID{"A", "B", "C"}, Done: []ring.NodeID{"A"}, Since: 5000, Moved: 7, Bytes: 70,
		Failed: "compared with B: no answer", FailedAt: 9000,
	}
	i := transferInfo("D", &p)
	if i.From != "B C" || i.To != "D" || i.Why != "joins" || i.Running || i.Keys != 7 || i.Bytes != 70 || i.Since.Unix() != 5 || i.ErrorAt.Unix() != 9 {
		t.Errorf("%+v", i)
	}
	p.With, p.Leaving = "C", true
	if i := transferInfo("D", &p); i.From != "D" || i.To != "C" || i.Why != "leaves" || !i.Running {
		t.Errorf("%+v", i)
	}
}
