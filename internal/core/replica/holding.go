package replica

import "encoding/binary"

// Holding is a bucket of which records of this node's own are stored in a
// partition.
type Holding struct {
	Partition uint32
	Bucket    string
}

// Arrival says at which number this node began to take a partition over.
type Arrival struct {
	Partition uint32
	Number    uint64
}

// Holdings is what a disk has of the partitions of a shard: what this node once
// held, whatever it is to hold now.
type Holdings struct {
	Buckets  []Holding // by partition, then in the order of [BucketOrder]
	Arrivals []Arrival // by partition
}

// AppendArrival appends the State of an [Arrive] or [Vacate].
func AppendArrival(dst []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(dst, number)
}

// ReadArrival returns the number in such a State, 0 for any other.
func ReadArrival(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
