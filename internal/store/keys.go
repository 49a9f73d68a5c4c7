package store

import "encoding/binary"

// Engine keys of records are partition | bucket | position | name, so that a
// partition, a bucket in it and any leaf of its tree (a prefix of the position)
// are each one contiguous range (RULES R24):
//
//	'r' | partition, 4 bytes big-endian | length of bucket, 1 byte | bucket |
//	upper half of the position, 8 bytes big-endian | name
//
// Pending records, those that this node holds in the stead of others, have keys
// of their own of the same form that begin with 'h' (for hint): nothing that
// walks the records of a partition meets one. What is no record:
//
//	't' | partition | length of bucket | bucket | last, 8 bytes   leaf of a tree
//	'm' | 'c' | partition | name of a node                       mark of a doubt
//	'm' | one of e h l a                                         what the steward keeps
//	'm' | 's' | shard, 4 bytes | of how many, 4 bytes            how far all was read back
//
// A leaf is the sum of the records under its span of positions (package
// merkle). It has the key of the last of them, so that the leaf of a position is
// the first at or after it. A mark says that what this node and another hold of a
// partition is to be compared.
const (
	recordPrefix  = 'r'
	pendingPrefix = 'h'
	leafPrefix    = 't'
	metaPrefix    = 'm'
	doubtMark     = 'c'
	scrubMark     = 's'
)

// AppendRecordKey appends the engine key of a record to dst.
func AppendRecordKey(dst []byte, partition uint32, bucket string, pos uint64, name string) []byte {
	return appendKey(append(dst, recordPrefix), partition, bucket, pos, name)
}

// AppendPendingKey appends the engine key of a pending record to dst.
func AppendPendingKey(dst []byte, partition uint32, bucket string, pos uint64, name string) []byte {
	return appendKey(append(dst, pendingPrefix), partition, bucket, pos, name)
}

// PendingRange returns the range of engine keys, the end excluded, that holds
// all pending records and nothing else.
func PendingRange() (lo, hi []byte) { return []byte{pendingPrefix}, []byte{pendingPrefix + 1} }

// AllRecords returns the range of engine keys, the end excluded, that holds all
// records of the node's own and nothing else.
func AllRecords() (lo, hi []byte) { return []byte{recordPrefix}, []byte{recordPrefix + 1} }

// NoteKey returns the engine key of one of the things that a node keeps of its
// cluster. It is told from the other marks by its length.
func NoteKey(note byte) []byte { return []byte{metaPrefix, note} }

// IsPending reports whether an engine key is that of a pending record.
func IsPending(key []byte) bool { return len(key) > 0 && key[0] == pendingPrefix }

// headLen is how long a key is before the bucket.
const headLen = 1 + 4 + 1

// SplitKey returns what the engine key of a record, of any kind, was made
// of, or false for any other key. Bucket and name alias the key.
func SplitKey(key []byte) (partition uint32, bucket, name []byte, ok bool) {
	if len(key) < headLen || key[0] != recordPrefix && key[0] != pendingPrefix && key[0] != sidePrefix {
		return 0, nil, nil, false
	}
	n := int(key[5])
	if len(key) < headLen+n+8 {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint32(key[1:]), key[headLen : headLen+n], key[headLen+n+8:], true
}

// IsRecord reports whether an engine key is that of a record that is this node's
// own, not a pending one.
func IsRecord(key []byte) bool { return len(key) > 0 && key[0] == recordPrefix }

// PartitionRange returns the range of engine keys, the end excluded, of all
// records of a partition that are this node's own.
func PartitionRange(partition uint32) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint32([]byte{recordPrefix}, partition)
	return lo, after(lo)
}

// RecordRange returns the range of engine keys, the end excluded, of the records
// of a bucket in a partition the upper halves of whose positions are first to
// last.
func RecordRange(partition uint32, bucket string, first, last uint64) (lo, hi []byte) {
	lo = AppendRecordKey(nil, partition, bucket, first, "")
	return lo, after(AppendRecordKey(nil, partition, bucket, last, ""))
}

// AppendLeafKey appends the engine key of a leaf to dst: the one whose span ends
// with that upper half of a position.
func AppendLeafKey(dst []byte, partition uint32, bucket string, last uint64) []byte {
	return binary.BigEndian.AppendUint64(appendTree(dst, partition, bucket), last)
}

// LeafRange returns the range of engine keys, the end excluded, of the leaves of
// a partition, bucket after bucket: the shorter name first, and of those as long
// in order of the bytes. Bucket limits it to one; "" means all.
func LeafRange(partition uint32, bucket string) (lo, hi []byte) {
	if bucket == "" {
		lo = binary.BigEndian.AppendUint32([]byte{leafPrefix}, partition)
	} else {
		lo = appendTree(nil, partition, bucket)
	}
	return lo, after(lo)
}

// AllLeaves returns the range of engine keys, the end excluded, that holds all
// leaves and nothing else.
func AllLeaves() (lo, hi []byte) { return []byte{leafPrefix}, []byte{leafPrefix + 1} }

// IsLeaf reports whether an engine key is that of a leaf.
func IsLeaf(key []byte) bool { return len(key) > 0 && key[0] == leafPrefix }

// SplitLeafKey returns what the engine key of a leaf was made of, or false for
// any other key. Bucket aliases the key.
func SplitLeafKey(key []byte) (partition uint32, bucket []byte, last uint64, ok bool) {
	if len(key) < headLen || key[0] != leafPrefix || len(key) != headLen+int(key[5])+8 {
		return 0, nil, 0, false
	}
	end := len(key) - 8
	return binary.BigEndian.Uint32(key[1:]), key[headLen:end], binary.BigEndian.Uint64(key[end:]), true
}

// AppendDoubtKey appends the engine key of the mark of a partition and a node.
func AppendDoubtKey(dst []byte, partition uint32, node string) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, metaPrefix, doubtMark), partition)
	return append(dst, node...)
}

// DoubtRange returns the range of engine keys, the end excluded, that holds all
// such marks and nothing else.
func DoubtRange() (lo, hi []byte) {
	return []byte{metaPrefix, doubtMark}, []byte{metaPrefix, doubtMark + 1}
}

// SplitDoubtKey returns what the engine key of a mark was made of, or false for
// any other key.
func SplitDoubtKey(key []byte) (partition uint32, node []byte, ok bool) {
	if len(key) < 2+4 || key[0] != metaPrefix || key[1] != doubtMark {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(key[2:]), key[6:], true
}

// AppendScrubKey appends the engine key of how far one shard of so many has come in
// reading everything back.
func AppendScrubKey(dst []byte, shard, shards int) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, metaPrefix, scrubMark), uint32(shard))
	return binary.BigEndian.AppendUint32(dst, uint32(shards))
}

// NextPartition returns the first engine key of the same kind as one that is of a
// later partition; nil: there is none. Of nil it is that of the second partition.
func NextPartition(key []byte) []byte {
	next := []byte{recordPrefix, 0, 0, 0, 0}
	copy(next, key)
	if partition := binary.BigEndian.Uint32(next[1:]); partition < 1<<32-1 {
		binary.BigEndian.PutUint32(next[1:], partition+1)
		return next
	}
	return nil
}

// after returns the first key behind all those that begin with prefix, which has
// a byte that is not 255.
func after(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for end[len(end)-1] == 255 {
		end = end[:len(end)-1]
	}
	end[len(end)-1]++
	return end
}

// PositionIn returns the upper half of the position in the engine key of a
// record for which [SplitKey] returns true.
func PositionIn(key []byte) uint64 { return binary.BigEndian.Uint64(key[headLen+int(key[5]):]) }

func appendTree(dst []byte, partition uint32, bucket string) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, leafPrefix), partition)
	return append(append(dst, byte(len(bucket))), bucket...)
}

// What a node keeps of its recovery:
//
//	'm' | 'd'                     id of the data folder that the data belongs to
//	'm' | 'n'                     number of the start of the node that used the data last
//	'm' | 'r' | partition         progress of the recovery of a partition
//	'm' | 'b' | partition | name of a bucket  writes were acknowledged before they were synced
//	'q' | as the key of a record  side record of one that can't be read
const (
	sidePrefix   = 'q'
	diskKey      = 'd'
	startKey     = 'n'
	recoveringIn = 'r'
	bufferedIn   = 'b'
)

// AppendSideKey appends the engine key of the side record of a key to dst.
func AppendSideKey(dst []byte, partition uint32, bucket string, pos uint64, name string) []byte {
	return appendKey(append(dst, sidePrefix), partition, bucket, pos, name)
}

// SideRange returns the range of engine keys, the end excluded, that holds all
// side records and nothing else.
func SideRange() (lo, hi []byte) { return []byte{sidePrefix}, []byte{sidePrefix + 1} }

// IsSide reports whether an engine key is that of a side record.
func IsSide(key []byte) bool { return len(key) > 0 && key[0] == sidePrefix }

// DiskKey is the engine key of the id of the data folder.
func DiskKey() []byte { return []byte{metaPrefix, diskKey} }

// StartKey is the engine key of the number of the last start.
func StartKey() []byte { return []byte{metaPrefix, startKey} }

// AppendProgressKey appends the engine key of the progress of the recovery of a
// partition.
func AppendProgressKey(dst []byte, partition uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, metaPrefix, recoveringIn), partition)
}

// ProgressRange returns the range of engine keys, the end excluded, that holds
// the progress of all partitions and nothing else.
func ProgressRange() (lo, hi []byte) {
	return []byte{metaPrefix, recoveringIn}, []byte{metaPrefix, recoveringIn + 1}
}

// SplitProgressKey returns the partition in such a key, or false for any other.
func SplitProgressKey(key []byte) (partition uint32, ok bool) {
	if len(key) != 2+4 || key[0] != metaPrefix || key[1] != recoveringIn {
		return 0, false
	}
	return binary.BigEndian.Uint32(key[2:]), true
}

// AppendBufferedKey appends the engine key of the mark of a partition and bucket in
// which writes may be acknowledged before they are synced.
func AppendBufferedKey(dst []byte, partition uint32, bucket string) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, metaPrefix, bufferedIn), partition)
	return append(dst, bucket...)
}

// BufferedRange returns the range of engine keys, the end excluded, that holds all
// such marks and nothing else.
func BufferedRange() (lo, hi []byte) {
	return []byte{metaPrefix, bufferedIn}, []byte{metaPrefix, bufferedIn + 1}
}

// SplitBufferedKey returns what the engine key of such a mark was made of, or false
// for any other key.
func SplitBufferedKey(key []byte) (partition uint32, bucket []byte, ok bool) {
	if len(key) < 2+4 || key[0] != metaPrefix || key[1] != bufferedIn {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(key[2:]), key[6:], true
}

func appendKey(dst []byte, partition uint32, bucket string, pos uint64, name string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, partition)
	dst = append(dst, byte(len(bucket)))
	dst = append(dst, bucket...)
	dst = binary.BigEndian.AppendUint64(dst, pos)
	return append(dst, name...)
}
