package host

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/replica"
)

// Bounds of one call of [Host.Verify]: slices are read between requests, so there
// is a pause after each.
const (
	verifySlice = 256 << 10 // bytes of records
	verifyPause = 5 * time.Millisecond
	verifyCall  = 500 * time.Millisecond
)

// Verify implements [ouro.Inspector].
func (h *Host) Verify(ctx context.Context, from string) (ouro.VerifyInfo, error) {
	info := ouro.VerifyInfo{Node: string(h.view.Load().Self), Wrong: []string{}}
	index, key, err := h.verifyFrom(from)
	if err != nil {
		return info, err
	}
	all := replica.Verified{Next: key}
	for end := time.Now().Add(verifyCall); time.Now().Before(end) && index < len(h.shards); {
		slice, err := h.verifySlice(ctx, h.shards[index], all.Next)
		if err != nil {
			return info, err
		}
		if all = all.With(slice); all.Err != nil {
			return info, ouro.Errorf(ouro.Internal, ouro.NotDone, "node %s can't read all it has: %v", info.Node, all.Err)
		}
		if all.Next == nil {
			index++
		}
		time.Sleep(verifyPause)
	}
	info.Trees, info.Leaves, info.Records, info.Bytes = all.Trees, all.Leaves, all.Records, all.Bytes
	info.Unreadable, info.Doubtful, info.Wrong = all.Unreadable, all.Doubtful, append(info.Wrong, all.Wrong...)
	if index < len(h.shards) {
		info.Next = fmt.Sprintf("%d:%x", index, all.Next)
	}
	return info, nil
}

// verifySlice makes a shard verify one slice.
func (h *Host) verifySlice(ctx context.Context, s *shard, from []byte) (replica.Verified, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	answer := make(chan replica.Verified, 1)
	s.in.force(item{do: func(s *shard) { answer <- s.disk.Verify(from, verifySlice) }, queued: time.Since(h.started)})
	select {
	case v := <-answer:
		return v, nil
	case <-ctx.Done():
		return replica.Verified{}, ouro.Errorf(ouro.TimedOut, ouro.NotDone, "node %s did not find the time to look: %v", h.view.Load().Self, ctx.Err())
	}
}

// verifyFrom reads where to go on: a shard, and an engine key.
func (h *Host) verifyFrom(from string) (index int, key []byte, err error) {
	if from == "" {
		return 0, nil, nil
	}
	number, place, _ := strings.Cut(from, ":")
	index, err = strconv.Atoi(number)
	if err == nil {
		key, err = hex.DecodeString(place)
	}
	if err != nil || index < 0 || index >= len(h.shards) {
		return 0, nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "from: it is what the answer before said as next")
	}
	if len(key) == 0 {
		key = nil
	}
	return index, key, nil
}
