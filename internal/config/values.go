package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ourodb/ouro/internal/core/member"
)

// Size is a number of bytes. Its text is a whole number of B, KiB, MiB or GiB.
type Size int64

// String returns the size in the largest unit that divides it.
func (s Size) String() string {
	switch {
	case s == 0:
		return "0B"
	case s%(1<<30) == 0:
		return strconv.FormatInt(int64(s>>30), 10) + "GiB"
	case s%(1<<20) == 0:
		return strconv.FormatInt(int64(s>>20), 10) + "MiB"
	case s%(1<<10) == 0:
		return strconv.FormatInt(int64(s>>10), 10) + "KiB"
	default:
		return strconv.FormatInt(int64(s), 10) + "B"
	}
}

// ParseSize reads the text of a [Size]. KB, MB and GB mean KiB, MiB and GiB.
func ParseSize(text string) (Size, error) {
	digits := strings.TrimRight(text, "BKMGibkmg ")
	n, err := strconv.ParseInt(digits, 10, 64)
	shift := -1
	switch strings.ToLower(strings.TrimSpace(text[len(digits):])) {
	case "b":
		shift = 0
	case "kib", "kb":
		shift = 10
	case "mib", "mb":
		shift = 20
	case "gib", "gb":
		shift = 30
	}
	if err != nil || shift < 0 || n < 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is not a size: give a whole number and a unit, such as 512B, 64KiB or 1MiB", text)
	}
	return Size(n << shift), nil
}

// The types below give the fields of a [Config] the face that flags want; file
// and environment use it too, so that a value is read in one way only.

type textValue struct{ p *string }

func (v textValue) String() string     { return *v.p }
func (v textValue) Set(s string) error { *v.p = s; return nil }
func (textValue) Type() string         { return "text" }

type pathValue struct{ textValue }

func (pathValue) Type() string { return "path" }

type addrValue struct{ textValue }

func (addrValue) Type() string { return "host:port" }

type intValue struct{ p *int }

func (v intValue) String() string { return strconv.Itoa(*v.p) }
func (intValue) Type() string     { return "number" }

func (v intValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil {
		return fmt.Errorf("%q is not a whole number", s)
	}
	*v.p = n
	return nil
}

type boolValue struct{ p *bool }

func (v boolValue) String() string { return strconv.FormatBool(*v.p) }
func (boolValue) Type() string     { return "bool" }

func (v boolValue) Set(s string) error {
	switch s {
	case "true":
		*v.p = true
	case "false":
		*v.p = false
	default:
		return fmt.Errorf("%q is neither true nor false", s)
	}
	return nil
}

type sizeValue struct{ p *Size }

func (v sizeValue) String() string { return v.p.String() }
func (sizeValue) Type() string     { return "size" }

func (v sizeValue) Set(s string) error {
	n, err := ParseSize(s)
	if err == nil {
		*v.p = n
	}
	return err
}

type durationValue struct{ p *time.Duration }

func (v durationValue) String() string { return formatDuration(*v.p) }
func (durationValue) Type() string     { return "duration" }

func (v durationValue) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration: give a number and a unit, such as 100ms, 2s or 24h", s)
	}
	*v.p = d
	return nil
}

// formatDuration leaves out the zero minutes and seconds that time.Duration
// prints: 24h0m0s is 24h.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

type listValue struct{ p *[]string }

func (v listValue) String() string { return strings.Join(*v.p, ",") }
func (listValue) Type() string     { return "host:port,..." }

// namesValue is a list of names.
type namesValue struct{ listValue }

func (namesValue) Type() string { return "name,..." }

func (v listValue) Set(s string) error {
	*v.p = nil
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*v.p = append(*v.p, part)
		}
	}
	return nil
}

// modeValue is the mode of a bucket: siblings, lww or types.
type modeValue struct{ b *member.Bucket }

func (modeValue) Type() string { return "siblings|lww|types" }

func (v modeValue) String() string { return v.b.Mode() }

func (v modeValue) Set(s string) error {
	if !v.b.SetMode(s) {
		return fmt.Errorf("%q is not a mode: choose siblings (every version is shown), lww (the last writer's) or types (data types, merged by the nodes)", s)
	}
	return nil
}

// SizeFlag is a flag that is a size, such as 16MiB.
func SizeFlag(p *Size) pflag.Value { return sizeValue{p} }

// durabilityValue is the durability mode of a bucket: all, one or buffered.
type durabilityValue struct{ b *member.Bucket }

func (durabilityValue) Type() string { return "all|one|buffered" }

func (v durabilityValue) String() string { return v.b.Durability.String() }

func (v durabilityValue) Set(s string) error {
	d, ok := member.ParseDurability(s)
	if !ok {
		return fmt.Errorf("%q is not a durability: choose all (every copy that counts is on disk), one (one of them is) or buffered (none need be)", s)
	}
	v.b.Durability = d
	return nil
}

type membersValue struct{ p *[]member.Member }

func (v membersValue) String() string { return FormatMembers(*v.p) }
func (membersValue) Type() string     { return "id=host:port,..." }

func (v membersValue) Set(s string) error {
	m, err := ParseMembers(s)
	if err == nil {
		*v.p = m
	}
	return err
}
