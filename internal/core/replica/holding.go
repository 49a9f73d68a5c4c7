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
	// Mixed: something was held of it before, and is held still.
	Mixed bool
}

// Holdings is what a disk has of the partitions of a shard: what this node once
// held, whatever it is to hold now.
type Holdings struct {
	Buckets  []Holding // by partition, then in the order of [BucketOrder]
	Arrivals []Arrival // by partition
}

// AppendArrival appends the State of an [Arrive]: the number, and whether it is
// mixed.
func AppendArrival(dst []byte, number uint64, mixed bool) []byte {
	dst = binary.BigEndian.AppendUint64(dst, number)
	if mixed {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// ReadArrival returns what is in such a State; of any other number 0, which is
// none.
func ReadArrival(b []byte) (number uint64, mixed bool) {
	if len(b) != 9 || b[8] > 1 {
		return 0, true
	}
	return binary.BigEndian.Uint64(b), b[8] == 1
}
