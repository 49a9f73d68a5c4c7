package security

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDerivedKeys(t *testing.T) {
	secret := Secret{bytes: bytes.Repeat([]byte{7}, 32)}
	k, err := secret.Derive()
	if err != nil {
		t.Fatal(err)
	}
	// Golden: another value here means that a cluster could no longer read its
	// own contexts and would disagree on every digest after an upgrade.
	const sealing, digest, request, id = "23a7416b7c1c933e17987fa56621a39a8d70c39a276478a1673cf1da00b44a88", 0xadf8a700fb9bcc96, 0xcacd466164e4ae8f, 0x7a25c2e3e59274d4
	if got := hex.EncodeToString(k.Sealing[:]); got != sealing {
		t.Errorf("sealing key %s, want %s", got, sealing)
	}
	if k.Digest != digest || k.Request != request {
		t.Errorf("seeds %#x and %#x, want %#x and %#x", k.Digest, k.Request, uint64(digest), uint64(request))
	}
	if got := k.ClusterID(42); got != id {
		t.Errorf("cluster id %#x, want %#x", got, uint64(id))
	}
	if k.Public {
		t.Error("keys of a real secret are marked public")
	}
}

func TestKeysDiffer(t *testing.T) {
	a, err := FromName("a").Derive()
	if err != nil {
		t.Fatal(err)
	}
	b, err := FromName("b").Derive()
	if err != nil {
		t.Fatal(err)
	}
	if !a.Public || !b.Public {
		t.Error("keys derived from a name are not marked public")
	}
	if a.Sealing == b.Sealing || a.Digest == b.Digest || a.Request == b.Request || a.ClusterID(1) == b.ClusterID(1) {
		t.Error("two clusters share a key")
	}
	if a.Digest == a.Request || a.ClusterID(1) == a.ClusterID(2) {
		t.Error("two uses share a key")
	}
}

func TestReadKeyFile(t *testing.T) {
	raw := bytes.Repeat([]byte{0xfe, 1}, 16)
	digits := hex.EncodeToString(raw)
	for _, test := range []struct {
		name    string
		content string
		mode    fs.FileMode
		allow   bool
		want    string // part of the error; "" for the secret raw
	}{
		{"raw", string(raw), 0o600, false, ""},
		{"hexadecimal", digits, 0o600, false, ""},
		{"hexadecimal with a line end", "  " + digits + "\r\n", 0o400, false, ""},
		{"upper case", strings.ToUpper(digits), 0o600, false, ""},
		{"readable by all, allowed", digits, 0o644, true, ""},
		{"readable by all", digits, 0o644, false, "chmod 600"},
		{"readable by the group", digits, 0o640, false, "(0640)"},
		{"empty", "", 0o600, false, "holds 0 bytes"},
		{"short", string(raw[:31]), 0o600, false, "holds 31 bytes of secret: at least 32"},
		{"short hexadecimal", digits[:62], 0o600, false, "holds 31 bytes"},
		{"cut hexadecimal", digits[:63], 0o600, false, "odd number"},
		{"huge", strings.Repeat("x", maxFile+1), 0o600, false, "no key file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			secret, err := ReadKeyFile(path, test.allow)
			switch {
			case test.want == "" && err != nil:
				t.Fatal(err)
			case test.want == "" && !bytes.Equal(secret.bytes, raw):
				t.Errorf("read %x, want %x", secret.bytes, raw)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			case err != nil && len(test.content) > 0 && strings.Contains(err.Error(), test.content):
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestNoKeyFile(t *testing.T) {
	if _, err := ReadKeyFile(filepath.Join(t.TempDir(), "none"), false); err == nil || !strings.Contains(err.Error(), "make one with") {
		t.Errorf("error %v does not say how to make a key file", err)
	}
	if _, err := ReadKeyFile(t.TempDir(), false); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v does not say that it is a folder", err)
	}
}
