package resp

// match says whether s is of the form of a pattern as KEYS and SCAN have it: * for
// any bytes, ? for one, [a-z] and [^a] for one of a set, \ before what stands for
// itself. It takes at most len(pattern) * len(s) steps and no recursion.
func match(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0 // after the last *, and where what it stands for ends
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, from = p, i
			continue
		}
		if next, ok := matchOne(pattern, p, s[i]); ok {
			p, i = next, i+1
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches a byte with what stands at p, and returns what comes after that.
func matchOne(pattern string, p int, c byte) (next int, ok bool) {
	if p == len(pattern) {
		return p, false
	}
	switch pattern[p] {
	case '?':
		return p + 1, true
	case '[':
		return matchSet(pattern, p+1, c)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return p + 1, pattern[p] == c
}

// matchSet matches a byte with a set, of which p is the first byte inside. One that
// does not end goes to the end of the pattern, as in Redis.
func matchSet(pattern string, p int, c byte) (next int, ok bool) {
	not := p < len(pattern) && pattern[p] == '^'
	if not {
		p++
	}
	found := false
	for ; p < len(pattern) && pattern[p] != ']'; p++ {
		if pattern[p] == '\\' && p+1 < len(pattern) {
			p++
		}
		lo, hi := pattern[p], pattern[p]
		if p+2 < len(pattern) && pattern[p+1] == '-' && pattern[p+2] != ']' {
			p += 2
			hi = pattern[p]
		}
		if lo > hi {
			lo, hi = hi, lo
		}
		found = found || lo <= c && c <= hi
	}
	return min(p+1, len(pattern)), found != not
}

// literal returns what every match of a pattern begins with, and whether that is
// all there is.
func literal(pattern string) (prefix string, whole bool) {
	b := make([]byte, 0, len(pattern))
	for p := 0; p < len(pattern); p++ {
		switch pattern[p] {
		case '*', '?', '[':
			return string(b), false
		case '\\':
			if p+1 < len(pattern) {
				p++
			}
		}
		b = append(b, pattern[p])
	}
	return string(b), true
}
