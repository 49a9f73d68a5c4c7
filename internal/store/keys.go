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
// walks the records of a partition meets one.
const (
	recordPrefix  = 'r'
	pendingPrefix = 'h'
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

// IsPending reports whether an engine key is that of a pending record.
func IsPending(key []byte) bool { return len(key) > 0 && key[0] == pendingPrefix }

// SplitKey returns what the engine key of a record, pending or not, was made
// of, or false for any other key. Bucket and name alias the key.
func SplitKey(key []byte) (partition uint32, bucket, name []byte, ok bool) {
	const head = 1 + 4 + 1
	if len(key) < head || key[0] != recordPrefix && key[0] != pendingPrefix {
		return 0, nil, nil, false
	}
	n := int(key[5])
	if len(key) < head+n+8 {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint32(key[1:]), key[head : head+n], key[head+n+8:], true
}

func appendKey(dst []byte, partition uint32, bucket string, pos uint64, name string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, partition)
	dst = append(dst, byte(len(bucket)))
	dst = append(dst, bucket...)
	dst = binary.BigEndian.AppendUint64(dst, pos)
	return append(dst, name...)
}
