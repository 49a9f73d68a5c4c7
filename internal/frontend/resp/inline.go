package resp

// splitWords splits an inline command into words, as redis-cli and telnet users
// write them: "..." with escapes, '...' with \' alone. The words alias line where
// they have no quotes.
func splitWords(line []byte) ([][]byte, error) {
	var words [][]byte
	for i := 0; ; {
		for i < len(line) && blank(line[i]) {
			i++
		}
		if i == len(line) {
			return words, nil
		}
		word, n, err := readWord(line[i:])
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		i += n
	}
}

func blank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 0 }

// readWord reads the word that b begins with, and how many bytes it takes.
func readWord(b []byte) (word []byte, n int, err error) {
	plain := 0
	for plain < len(b) && !blank(b[plain]) && b[plain] != '"' && b[plain] != '\'' {
		plain++
	}
	if plain == len(b) || blank(b[plain]) {
		return b[:plain:plain], plain, nil
	}
	word = append(word, b[:plain]...)
	for n = plain; n < len(b) && !blank(b[n]); {
		quote := b[n]
		if quote != '"' && quote != '\'' {
			word = append(word, quote)
			n++
			continue
		}
		var ok bool
		if word, n, ok = readQuoted(word, b, n+1, quote); !ok || n < len(b) && !blank(b[n]) {
			return nil, 0, errQuotes
		}
	}
	return word, n, nil
}

// readQuoted appends to word what stands in quotes from b[at] on, and returns
// where it ends.
func readQuoted(word, b []byte, at int, quote byte) (_ []byte, end int, ok bool) {
	for at < len(b) {
		c := b[at]
		switch {
		case c == quote:
			return word, at + 1, true
		case c == '\\' && at+1 < len(b) && (quote == '"' || b[at+1] == '\''):
			var escaped byte
			escaped, at = readEscape(b, at+1, quote)
			word = append(word, escaped)
		default:
			word = append(word, c)
			at++
		}
	}
	return nil, at, false
}

// readEscape reads what stands after a backslash.
func readEscape(b []byte, at int, quote byte) (byte, int) {
	if quote == '"' && b[at] == 'x' && at+2 < len(b) && hex(b[at+1]) >= 0 && hex(b[at+2]) >= 0 {
		return byte(hex(b[at+1])<<4 | hex(b[at+2])), at + 3
	}
	if quote == '"' {
		switch b[at] {
		case 'n':
			return '\n', at + 1
		case 'r':
			return '\r', at + 1
		case 't':
			return '\t', at + 1
		case 'b':
			return '\b', at + 1
		case 'a':
			return '\a', at + 1
		}
	}
	return b[at], at + 1
}

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}
