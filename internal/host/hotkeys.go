package host

import (
	"cmp"
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/hot"
)

// HotKeys returns which keys are asked for most at this node, as of the last second.
func (h *Host) HotKeys() ouro.HotKeysInfo {
	info := ouro.HotKeysInfo{Keys: []ouro.HotKeyInfo{}, Most: h.shards[0].core.MostPerKey()}
	for _, s := range h.shards {
		st := s.hot.Load()
		if st == nil { // nothing was measured yet
			continue
		}
		info.Refused += st.Refused
		for i := range st.Keys {
			k := &st.Keys[i]
			key := ouro.Key{Bucket: k.Bucket, Name: k.Name}
			info.Keys = append(info.Keys, ouro.HotKeyInfo{Key: key.Brief(), Rate: k.Rate, Refused: k.Refused})
		}
	}
	slices.SortFunc(info.Keys, func(a, b ouro.HotKeyInfo) int {
		return cmp.Or(cmp.Compare(b.Refused, a.Refused), cmp.Compare(b.Rate, a.Rate), cmp.Compare(a.Key, b.Key))
	})
	info.Keys = info.Keys[:min(len(info.Keys), hot.Named)]
	return info
}
