package transfer

import (
	"cmp"
	"slices"

	"github.com/ourodb/ouro/internal/core/replica"
)

// held is what the disk has: buckets in partitions, and at which number a
// partition began to be taken over.
type held struct {
	buckets []replica.Holding // by partition, then by bucket
	arrived []replica.Arrival // by partition
}

func newHeld(h *replica.Holdings) held {
	all := held{buckets: slices.Clone(h.Buckets), arrived: slices.Clone(h.Arrivals)}
	slices.SortFunc(all.buckets, order)
	slices.SortFunc(all.arrived, func(a, b replica.Arrival) int { return cmp.Compare(a.Partition, b.Partition) })
	return all
}

func order(a, b replica.Holding) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), replica.BucketOrder(a.Bucket, b.Bucket))
}

// add notes that something is stored. It is called for everything that is.
func (h *held) add(partition uint32, bucket string) {
	key := replica.Holding{Partition: partition, Bucket: bucket}
	if i, known := slices.BinarySearchFunc(h.buckets, key, order); !known {
		h.buckets = slices.Insert(h.buckets, i, key)
	}
}

func (h *held) drop(partition uint32, buckets []string) {
	for _, b := range buckets {
		if i, known := slices.BinarySearchFunc(h.buckets, replica.Holding{Partition: partition, Bucket: b}, order); known {
			h.buckets = slices.Delete(h.buckets, i, i+1)
		}
	}
}

// of returns what is held of a partition. It is good until something is added.
func (h *held) of(partition uint32) []replica.Holding {
	from, _ := slices.BinarySearchFunc(h.buckets, partition, func(b replica.Holding, p uint32) int { return cmp.Compare(b.Partition, p) })
	to := from
	for to < len(h.buckets) && h.buckets[to].Partition == partition {
		to++
	}
	return h.buckets[from:to]
}

// as returns the buckets held of a partition in which this node has a role.
func (h *held) as(partition uint32, role Role, c Cluster) (buckets []string) {
	for _, b := range h.of(partition) {
		if c.Role(partition, b.Bucket) == role {
			buckets = append(buckets, b.Bucket)
		}
	}
	return buckets
}

// began returns when a partition began to be taken over; its number 0: it is not.
func (h *held) began(partition uint32) replica.Arrival {
	if i, ok := h.arrival(partition); ok {
		return h.arrived[i]
	}
	return replica.Arrival{}
}

// begin notes that; its number 0: it is over.
func (h *held) begin(a replica.Arrival) {
	i, ok := h.arrival(a.Partition)
	switch {
	case ok && a.Number == 0:
		h.arrived = slices.Delete(h.arrived, i, i+1)
	case ok:
		h.arrived[i] = a
	case a.Number != 0:
		h.arrived = slices.Insert(h.arrived, i, a)
	}
}

func (h *held) arrival(partition uint32) (int, bool) {
	return slices.BinarySearchFunc(h.arrived, partition, func(a replica.Arrival, p uint32) int { return cmp.Compare(a.Partition, p) })
}
