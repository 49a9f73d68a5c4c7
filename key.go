package ouro

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Bounds on the parts of a [Key], in bytes.
const (
	MaxBucketLen = 64
	MaxKeyLen    = 1024
)

// Key names one object: a bucket and a name inside it. The name is any
// sequence of 1 to [MaxKeyLen] bytes, NUL and '/' included; the bucket is 1 to
// [MaxBucketLen] characters of A-Z a-z 0-9 '.' '_' '-'.
type Key struct {
	Bucket string
	Name   string
}

// String returns "bucket/name", the name quoted where it is not printable.
func (k Key) String() string {
	for i := 0; i < len(k.Name); i++ {
		if c := k.Name[i]; c < 0x20 || c == 0x7f {
			return fmt.Sprintf("%s/%q", k.Bucket, k.Name)
		}
	}
	return k.Bucket + "/" + k.Name
}

// briefLen is how many bytes of a name [Key.Brief] shows.
const briefLen = 64

// Brief returns the key for messages and labels, whatever its name is: "bucket/name",
// the name quoted where it is not printable, and only its first 64 bytes.
func (k Key) Brief() string {
	name, more := k.Name, ""
	if len(name) > briefLen {
		cut := briefLen
		for cut > briefLen-utf8.UTFMax && !utf8.RuneStart(name[cut]) {
			cut--
		}
		name, more = name[:cut], "..."
	}
	if quoted := strconv.Quote(name); quoted[1:len(quoted)-1] != name {
		name = quoted
	}
	return k.Bucket + "/" + name + more
}

// Validate returns an [Error] with code [BadRequest] unless both parts are
// within their bounds.
func (k Key) Validate() error {
	if err := ValidateBucket(k.Bucket); err != nil {
		return err
	}
	switch {
	case k.Name == "":
		return Errorf(BadRequest, NotDone, "the key is empty: a key has 1 to %d bytes", MaxKeyLen)
	case len(k.Name) > MaxKeyLen:
		return Errorf(BadRequest, NotDone, "the key has %d bytes: a key has 1 to %d", len(k.Name), MaxKeyLen)
	}
	return nil
}

// ValidateBucket returns an [Error] with code [BadRequest] unless name can name
// a bucket.
func ValidateBucket(name string) error {
	if name == "" || len(name) > MaxBucketLen {
		return Errorf(BadRequest, NotDone, "the bucket name has %d characters: it has 1 to %d of A-Z a-z 0-9 . _ -", len(name), MaxBucketLen)
	}
	for i := 0; i < len(name); i++ {
		if !bucketChar(name[i]) {
			return Errorf(BadRequest, NotDone, "the bucket name %q has a character outside A-Z a-z 0-9 . _ -", name)
		}
	}
	return nil
}

func bucketChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}
