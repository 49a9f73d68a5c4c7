package causal

import "strconv"

// Compare returns -1, 0 or 1 in the order of Run, then Life.
func (a Actor) Compare(b Actor) int {
	switch {
	case a.Run < b.Run:
		return -1
	case a.Run > b.Run:
		return 1
	case a.Life < b.Life:
		return -1
	case a.Life > b.Life:
		return 1
	default:
		return 0
	}
}

// String returns the run as 16 hexadecimal digits, a dot, and the life.
func (a Actor) String() string {
	var b [40]byte
	return string(a.append(b[:0]))
}

func (a Actor) append(dst []byte) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[a.Run>>uint(shift)&15])
	}
	dst = append(dst, '.')
	return strconv.AppendUint(dst, a.Life, 10)
}

// Compare returns -1, 0 or 1 in the order of Actor, then N.
func (d Dot) Compare(e Dot) int {
	if c := d.Actor.Compare(e.Actor); c != 0 {
		return c
	}
	switch {
	case d.N < e.N:
		return -1
	case d.N > e.N:
		return 1
	default:
		return 0
	}
}

// IsZero reports whether d names no event.
func (d Dot) IsZero() bool { return d == Dot{} }

// String returns the actor, a colon, and the number.
func (d Dot) String() string {
	var b [64]byte
	return string(strconv.AppendUint(append(d.Actor.append(b[:0]), ':'), d.N, 10))
}
