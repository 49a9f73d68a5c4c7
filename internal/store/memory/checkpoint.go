package memory

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// A checkpoint is one file: the magic, then for each pair in key order the
// length and bytes of key and value (lengths as uvarints), then the CRC-32C of
// all before it, little-endian.
const (
	checkpointFile  = "checkpoint"
	checkpointMagic = "ouromem1"
)

// Checkpoint implements [store.Engine]. The copy is opened with [Open]; it
// holds what readers see, synced or not.
func (e *Engine) Checkpoint(dir string) error {
	e.mu.Lock()
	if err := e.usable(); err != nil {
		e.mu.Unlock()
		return fmt.Errorf("checkpoint: %w", err)
	}
	snapshot := e.data.clone()
	e.mu.Unlock()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := writeSynced(filepath.Join(dir, checkpointFile), encode(snapshot)); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Open returns an engine with the contents of a checkpoint. The folder itself
// is not changed, then or later.
func Open(dir string, o Options) (*Engine, error) {
	b, err := os.ReadFile(filepath.Join(dir, checkpointFile))
	if err != nil {
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	data, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint %s: %w", dir, err)
	}
	return newEngine(data, o), nil
}

func encode(m image) []byte {
	b := make([]byte, 0, m.bytes+64)
	b = append(b, checkpointMagic...)
	m.ascend(nil, nil, func(key, value []byte) bool {
		b = appendBytes(appendBytes(b, key), value)
		return true
	})
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func appendBytes(dst, p []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(p))), p...)
}

func decode(b []byte) (image, error) {
	body, ok := bytes.CutPrefix(b, []byte(checkpointMagic))
	if !ok || len(body) < 4 {
		return image{}, fmt.Errorf("it is no checkpoint of a memory engine")
	}
	end := len(b) - 4
	if crc32.Checksum(b[:end], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[end:]) {
		return image{}, fmt.Errorf("the file is damaged: its checksum does not match")
	}
	m := emptyImage()
	for body = body[:len(body)-4]; len(body) > 0; {
		var key, value []byte
		if key, body, ok = cutBytes(body); !ok {
			return image{}, fmt.Errorf("the file ends within a key")
		}
		if value, body, ok = cutBytes(body); !ok {
			return image{}, fmt.Errorf("the file ends within a value")
		}
		m.set(key, value)
	}
	return m, nil
}

func cutBytes(b []byte) (p, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	b = b[used:]
	return b[:n:n], b[n:], true
}

func writeSynced(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
