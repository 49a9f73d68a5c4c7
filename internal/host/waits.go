package host

import (
	"fmt"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// waits says whom what is to happen waits for, and what an operator can do; coming is
// how many partitions are to come to each, links is what the next link waits for.
func waits(info *ouro.ClusterInfo, coming map[ring.NodeID]int, links string) (all []string) {
	for i := range info.Members {
		m := &info.Members[i]
		if text := waitsFor(m, coming[ring.NodeID(m.ID)]); text != "" {
			all = append(all, text)
		}
	}
	if links != "" {
		all = append(all, "the next link: "+links)
	}
	return all
}

// waitsFor says what a member keeps waiting; "": nothing.
func waitsFor(m *ouro.ClusterMember, coming int) string {
	switch {
	case m.State == "member" && !m.Up && coming > 0:
		return fmt.Sprintf("%s, to which %s shall move and which can't be reached: start it again, or, if it is gone for good, let it leave, or another node replace it", m.ID, partitions(coming))
	case m.State == "joining" && !m.Up:
		return fmt.Sprintf("%s, which is to join and can't be reached at %s: see that it runs, with the cluster's name and key; say where it is with 'ouro cluster readdress %s HOST:PORT --commit', or let it leave", m.ID, m.Peer, m.ID)
	case m.State == "joining":
		return fmt.Sprintf("%s, which is to join, to be taken in", m.ID)
	case m.State != "leaving":
		return ""
	case !m.Up && !m.Self:
		return fmt.Sprintf("%s, which leaves and can't be reached: it holds %s, and may keep writes for other nodes; start it again, or, if it is gone for good, 'ouro cluster force-remove %s --commit'", m.ID, partitions(m.Holds), m.ID)
	case m.Holds > 0:
		return fmt.Sprintf("%s, which leaves and holds %s still", m.ID, partitions(m.Holds))
	default:
		return fmt.Sprintf("%s, which leaves, to hand on what is left there; see 'ouro hints' and 'ouro cluster status' at that node", m.ID)
	}
}

func partitions(n int) string {
	switch n {
	case 0:
		return "no partition"
	case 1:
		return "1 partition"
	}
	return fmt.Sprintf("%d partitions", n)
}
