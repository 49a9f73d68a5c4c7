package disk

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// VerifyLeaves adds up every leaf from the records in an engine and says which
// stored one is another; nil where none is. Dirty leaves say nothing and are
// passed over, and so is the leaf of a record that can't be read. It reads all
// there is, holds a sum for every leaf, and takes no turns with a runner.
func VerifyLeaves(e store.Engine, r *replica.Replica, partitionBits uint) error {
	sums, passed := map[leafID]merkle.Sum{}, map[leafID]bool{}
	err := e.Range(nil, nil, func(key, value []byte) bool {
		if store.IsRecord(key) {
			id, sum, err := memberOf(r, key, value, partitionBits)
			if err != nil {
				passed[id] = true
			}
			sums[id] = merkle.Add(sums[id], sum)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	err = e.Range(nil, nil, func(key, value []byte) bool {
		if partition, bucket, number, ok := store.SplitLeafKey(key); ok {
			id, l := leafID{treeID{partition, string(bucket)}, number}, readLeaf(value)
			passed[id] = passed[id] || l.dirty
			sums[id] = merkle.Sub(sums[id], l.sum)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("leaves: %w", err)
	}
	maps.DeleteFunc(sums, func(id leafID, left merkle.Sum) bool { return passed[id] || left == merkle.Sum{} })
	if len(sums) == 0 {
		return nil
	}
	var wrong []string
	for id := range sums {
		wrong = append(wrong, fmt.Sprintf("%d/%s/%d", id.partition, id.bucket, id.number))
	}
	slices.Sort(wrong)
	return fmt.Errorf("%d leaves are not the sums of their records, as partition/bucket/leaf: %v", len(wrong), wrong[:min(len(wrong), 8)])
}

func memberOf(r *replica.Replica, key, value []byte, partitionBits uint) (leafID, merkle.Sum, error) {
	partition, bucket, name, ok := store.SplitKey(key)
	if !ok {
		return leafID{}, merkle.Sum{}, errKey
	}
	id := leafID{treeID{partition, string(bucket)}, merkle.LeafOf(store.PositionIn(key), partitionBits)}
	_, sum, err := r.Member(string(name), value)
	return id, sum, err
}
