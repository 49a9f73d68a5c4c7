package security

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// MinSecret is the least number of bytes of a secret: fewer could be guessed.
const MinSecret = 32

// maxFile bounds what is read of a file that someone named by mistake.
const maxFile = 64 << 10

// othersMay are the permissions that a secret file must not have.
const othersMay fs.FileMode = 0o077

// ReadKeyFile reads a cluster key file: 32 bytes or more, raw or as hexadecimal
// digits (64 or more, spaces and line ends around them left out). A file that
// other users may read is refused unless allowReadable is set, for systems that
// mount secrets so.
func ReadKeyFile(path string, allowReadable bool) (Secret, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Secret{}, fmt.Errorf("security: there is no cluster key file %s: copy it from another node, or make one with 'head -c 32 /dev/urandom | od -An -vtx1 | tr -d \" \\n\" > %s && chmod 600 %s'", path, path, path)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("security: cluster key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("security: cluster key file: %w", err)
	case info.IsDir():
		return Secret{}, fmt.Errorf("security: the cluster key file %s is a folder: name the file in it", path)
	case info.Mode().Perm()&othersMay != 0 && !allowReadable:
		return Secret{}, fmt.Errorf("security: other users may read the cluster key file %s (%04o): run 'chmod 600 %s', or allow it with --allow-readable-secrets", path, info.Mode().Perm(), path)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Secret{}, fmt.Errorf("security: cluster key file: %w", err)
	}
	secret, err := parse(content)
	if err != nil {
		return Secret{}, fmt.Errorf("security: the cluster key file %s %w", path, err)
	}
	return secret, nil
}

// ClusterKeys derives the keys from a cluster's secret: that of its key file as
// [ReadKeyFile] reads it, or of its name where keyFile is "".
func ClusterKeys(cluster, keyFile string, allowReadable bool) (Keys, error) {
	secret := FromName(cluster)
	if keyFile != "" {
		var err error
		if secret, err = ReadKeyFile(keyFile, allowReadable); err != nil {
			return Keys{}, err
		}
	}
	return secret.Derive()
}

// parse reads the content of a key file.
func parse(content []byte) (Secret, error) {
	if len(content) > maxFile {
		return Secret{}, fmt.Errorf("is longer than %d bytes: it is no key file", maxFile)
	}
	if text := bytes.TrimSpace(content); isHex(text) {
		decoded := make([]byte, hex.DecodedLen(len(text)))
		if _, err := hex.Decode(decoded, text); err != nil {
			return Secret{}, errors.New("has an odd number of hexadecimal digits: it was cut off; copy it again")
		}
		content = decoded
	}
	if len(content) < MinSecret {
		return Secret{}, fmt.Errorf("holds %d bytes of secret: at least %d are needed (%d hexadecimal digits)", len(content), MinSecret, 2*MinSecret)
	}
	return Secret{bytes: content}, nil
}

// isHex reports whether text can only be meant as hexadecimal digits.
func isHex(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return len(text) > 0
}
