package store

import (
	"encoding/binary"
	"math"
)

// What a node keeps of a partition that it takes over from others:
//
//	'm' | 'n' | partition    see replica.AppendArrival
const arrivalMark = 'n'

// AppendArrivalKey appends the engine key of the number at which a node began to
// take a partition over.
func AppendArrivalKey(dst []byte, partition uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, metaPrefix, arrivalMark), partition)
}

// ArrivalRange returns the range of engine keys, the end excluded, that holds
// all such numbers and nothing else.
func ArrivalRange() (lo, hi []byte) {
	return []byte{metaPrefix, arrivalMark}, []byte{metaPrefix, arrivalMark + 1}
}

// SplitArrivalKey returns the partition in such a key, or false for any other.
func SplitArrivalKey(key []byte) (partition uint32, ok bool) {
	if len(key) != 2+4 || key[0] != metaPrefix || key[1] != arrivalMark {
		return 0, false
	}
	return binary.BigEndian.Uint32(key[2:]), true
}

// DeleteHolding puts into a batch that everything goes which a node holds of a
// partition for itself: records, those beside unreadable ones, leaves and, of a
// whole partition, the marks of doubts. Bucket limits it to one; "" means all.
// Pending records stay: they are owed to others.
func DeleteHolding(b *Batch, partition uint32, bucket string) {
	if bucket != "" {
		lo, hi := RecordRange(partition, bucket, 0, math.MaxUint64)
		b.DeleteRange(lo, hi)
		b.DeleteRange(as(sidePrefix, lo), as(sidePrefix, hi))
		lo, hi = LeafRange(partition, bucket)
		b.DeleteRange(lo, hi)
		return
	}
	lo, hi := PartitionRange(partition)
	b.DeleteRange(lo, hi)
	b.DeleteRange(as(sidePrefix, lo), as(sidePrefix, hi))
	lo, hi = LeafRange(partition, "")
	b.DeleteRange(lo, hi)
	lo = AppendDoubtKey(nil, partition, "")
	b.DeleteRange(lo, after(lo))
}

// as returns an end of a range of records as one of keys that begin with prefix.
func as(prefix byte, end []byte) []byte {
	e := append([]byte{}, end...)
	switch {
	case e[0] == recordPrefix:
		e[0] = prefix
	default: // what is after all records
		e[0] = prefix + 1
	}
	return e
}

// HoldingPrefix returns how the engine keys begin of all records of a partition
// that are a node's own, of one bucket where that is not "".
func HoldingPrefix(partition uint32, bucket string) []byte {
	k := binary.BigEndian.AppendUint32([]byte{recordPrefix}, partition)
	if bucket != "" {
		k = append(append(k, byte(len(bucket))), bucket...)
	}
	return k
}

// SplitHeld returns of which bucket in which partition a record or a leaf is, or false
// for any other key. Bucket aliases the key.
func SplitHeld(key []byte) (partition uint32, bucket []byte, ok bool) {
	if IsLeaf(key) {
		partition, bucket, _, ok = SplitLeafKey(key)
	} else {
		partition, bucket, _, ok = SplitKey(key)
	}
	return partition, bucket, ok
}

// NextHolding returns the first engine key after all records of a bucket in a
// partition.
func NextHolding(partition uint32, bucket string) []byte {
	return after(HoldingPrefix(partition, bucket))
}
