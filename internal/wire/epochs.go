package wire

import (
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The epochs that a node knows of are
//
//	epoch that is waited for, uvarint | number of members, uvarint; of each:
//	id | epoch that it has shown, uvarint | number by which it is clean, uvarint
const leastShown = 3

func appendShow(dst []byte, s *reap.Show) []byte {
	dst = appendUvarint(dst, s.Wanted)
	dst = appendUvarint(dst, uint64(len(s.Shown)))
	for i := range s.Shown {
		dst = appendString(dst, string(s.Shown[i].Node))
		dst = appendUvarint(appendUvarint(dst, s.Shown[i].Epoch), s.Shown[i].Clean)
	}
	return dst
}

func readShow(r *reader) *reap.Show {
	s := &reap.Show{Wanted: r.uvarint()}
	if n := r.count(leastShown); n > 0 {
		s.Shown = make([]reap.Shown, n)
		for i := range s.Shown {
			s.Shown[i] = reap.Shown{Node: ring.NodeID(r.string()), Epoch: r.uvarint(), Clean: r.uvarint()}
		}
	}
	return s
}
