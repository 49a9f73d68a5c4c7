package conformance

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// timeToLive: what is written for an hour is shown with its end, and what is written
// for ever, or as the bucket says, without.
func timeToLive(t *testing.T, s *suite) {
	key := s.key()
	put := s.put(key, "hour", ouro.Blind(), ouro.TTL(time.Hour))
	res := s.get(key, "hour")
	if left := res.Siblings[0].Expires.Sub(res.Siblings[0].Modified); left < time.Hour-time.Minute || left > time.Hour+time.Minute {
		t.Errorf("written for an hour it expires %v after it was", left)
	}
	put = s.put(key, "ever", under(put), ouro.TTL(-1))
	if res = s.get(key, "ever"); !res.Siblings[0].Expires.IsZero() {
		t.Errorf("written for ever it expires at %v", res.Siblings[0].Expires)
	}
	s.put(key, "as usual", under(put))
	if res = s.get(key, "as usual"); !res.Siblings[0].Expires.IsZero() {
		t.Errorf("written without a time it expires at %v", res.Siblings[0].Expires)
	}
}

func putGet(t *testing.T, s *suite) {
	key := s.key()
	before := time.Now().Add(-time.Minute)
	s.blind(key, "v")
	res := s.get(key, "v")
	if m := res.Siblings[0].Modified; !s.limits.Simulated && (m.Before(before) || m.After(time.Now().Add(time.Minute))) {
		t.Errorf("modified %v, now is %v", m, time.Now())
	}
}

func absent(t *testing.T, s *suite) {
	if res := s.gone(s.key()); len(res.Context) > 0 {
		t.Errorf("a key that never was has context %v", res.Context)
	}
}

func emptyValue(_ *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "")
	res := s.get(key, "")
	s.put(key, "", under(res))
	s.get(key, "")
}

func anyBytes(_ *testing.T, s *suite) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, v := range []string{string(all), "\x00", "\r\n\r\n", `{"context":"no"}`, strings.Repeat("x", 100_000)} {
		key := s.key()
		s.blind(key, v)
		s.get(key, v)
	}
}

func contentTypes(t *testing.T, s *suite) {
	for _, typ := range []string{"", "text/plain", "Text/HTML; charset=UTF-8", "application/json", "x"} {
		key := s.key()
		if _, err := s.store.Put(s.ctx(), key, ouro.Value{Data: []byte("v"), ContentType: typ}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
		got := s.get(key, "v").Siblings[0].ContentType
		if got != typ && (typ != "" || got != "application/octet-stream") {
			t.Errorf("content type %q came back as %q", typ, got)
		}
	}
}

func anyKeys(_ *testing.T, s *suite) {
	base := s.key()
	names := []string{"/", "//", "/.", "/..", "/../..", "/a/../b", "/a//b", "/%2F", "/%", "/+", "/ ", "/?r=1", "/#", "/\x00", "/\xff\xfe", "/ä", "/a\nb"}
	for _, n := range names {
		s.blind(ouro.Key{Bucket: base.Bucket, Name: base.Name + n}, n)
	}
	s.gone(base)
	for _, n := range names {
		s.get(ouro.Key{Bucket: base.Bucket, Name: base.Name + n}, n)
	}
	long := ouro.Key{Bucket: strings.Repeat("b", ouro.MaxBucketLen), Name: (base.Name + strings.Repeat("\xff", ouro.MaxKeyLen))[:ouro.MaxKeyLen]}
	s.blind(long, "long")
	s.get(long, "long")
}

func buckets(_ *testing.T, s *suite) {
	one := s.key()
	two := ouro.Key{Bucket: one.Bucket + ".2", Name: one.Name}
	s.blind(one, "1")
	s.gone(two)
	s.blind(two, "2")
	s.get(one, "1")
	s.get(two, "2")
}

func tooLarge(t *testing.T, s *suite) {
	if s.limits.Value == 0 {
		t.Skip("no limit given")
	}
	key := s.key()
	most := strings.Repeat("x", s.limits.Value)
	s.blind(key, most)
	_, err := s.store.Put(s.ctx(), key, ouro.Value{Data: []byte(most + "x")}, ouro.Blind())
	s.refused(err, ouro.TooLarge)
	s.get(key, most)
}

func ownership(t *testing.T, s *suite) {
	key := s.key()
	data := bytes.Repeat([]byte("a"), 1000)
	if _, err := s.store.Put(s.ctx(), key, ouro.Value{Data: data}, ouro.Blind()); err != nil {
		t.Fatal(err)
	}
	want := string(data)
	clear(data)
	s.get(key, want)
}
