package replica

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/ourodb/ouro/internal/core/causal"
)

// A record, as stored on disk, version 1:
//
//	byte    1, the version of the form
//	byte    0: no live actor; i+1: entry i of the vector is this node's live
//	        actor, if that entry's run is the current one (RULES R2)
//	bytes   the state in its canonical form (package causal)
//	4 bytes little-endian CRC-32C of all before
const (
	recordVersion = 1
	headLen       = 2
	tailLen       = 4
	maxLive       = 254 // greatest index of an entry that the local byte can name
)

// DamageError says why bytes are no record.
type DamageError string

func (e DamageError) Error() string { return "replica: record: " + string(e) }

const (
	errShort    DamageError = "cut short"
	errVersion  DamageError = "format is newer than this program, or not a record"
	errChecksum DamageError = "checksum does not match: the record is damaged"
	errLive     DamageError = "the live actor has no entry"
)

// DecodeRecord returns the state in a stored record. Values alias the record.
// The error is a [DamageError] or a [causal.FormatError].
func DecodeRecord(record []byte) (causal.State, error) {
	state, live, err := open(record)
	if err != nil {
		return causal.State{}, err
	}
	s, err := causal.DecodeState(state)
	if err == nil && live > len(s.Vector) {
		err = errLive
	}
	return s, err
}

// StateOf returns the canonical bytes of the state in a stored record, which
// they alias, after checking the record's checksum alone.
func StateOf(record []byte) ([]byte, error) {
	state, _, err := open(record)
	return state, err
}

// open checks a record and returns its state and local byte.
func open(record []byte) (state []byte, live int, err error) {
	if len(record) < headLen+tailLen {
		return nil, 0, errShort
	}
	body, sum := record[:len(record)-tailLen], record[len(record)-tailLen:]
	if checksum(body) != binary.LittleEndian.Uint32(sum) {
		return nil, 0, errChecksum
	}
	if record[0] != recordVersion {
		return nil, 0, errVersion
	}
	return body[headLen:], int(body[1]), nil
}

// seal completes a record of which head and state are written.
func seal(record []byte) []byte {
	return binary.LittleEndian.AppendUint32(record, checksum(record))
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// newRecord returns the record of a state. Live is the index of the live actor's
// entry, or -1.
func newRecord(s *causal.State, live int) []byte {
	record := s.Bytes(headLen, tailLen)
	record[0], record[1] = recordVersion, localByte(live)
	return seal(record)
}

// recordOf returns the record of a state in canonical form, without live actor.
func recordOf(canonical []byte) []byte {
	record := make([]byte, headLen, headLen+len(canonical)+tailLen)
	record[0] = recordVersion
	return seal(append(record, canonical...))
}

// localByte is 0 where the entry lies too far for a byte to name it: the next
// mint then begins a new life, which is always right.
func localByte(live int) byte {
	if live < 0 || live > maxLive {
		return 0
	}
	return byte(live + 1)
}

// stateIn returns the state in a record made here.
func stateIn(record []byte) []byte { return record[headLen : len(record)-tailLen] }
