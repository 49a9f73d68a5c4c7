package store

import "encoding/binary"

// Engine keys of records are partition | bucket | position | name, so that a
// partition, a bucket in it and any leaf of its tree (a prefix of the position)
// are each one contiguous range (RULES R24):
//
//	'r' | partition, 4 bytes big-endian | length of bucket, 1 byte | bucket |
//	upper half of the position, 8 bytes big-endian | name
//
// Other first bytes are other families of keys.
const recordPrefix = 'r'

// AppendRecordKey appends the engine key of a record to dst.
func AppendRecordKey(dst []byte, partition uint32, bucket string, pos uint64, name string) []byte {
	dst = append(dst, recordPrefix)
	dst = binary.BigEndian.AppendUint32(dst, partition)
	dst = append(dst, byte(len(bucket)))
	dst = append(dst, bucket...)
	dst = binary.BigEndian.AppendUint64(dst, pos)
	return append(dst, name...)
}
