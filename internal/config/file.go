package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// document is a configuration file, read but not understood.
type document struct {
	settings []setting
	buckets  []table // sorted by name
	errs     []error
}

// table is one [buckets.NAME].
type table struct {
	name     string
	settings []setting
}

// setting is one key and its value as text.
type setting struct {
	name, value, origin string
}

// parseFile reads the TOML text of the file at path.
func parseFile(path, text string) (document, error) {
	var doc document
	var raw map[string]any
	meta, err := toml.Decode(text, &raw)
	if err != nil {
		if bad := (toml.ParseError{}); errors.As(err, &bad) {
			return doc, fmt.Errorf("%s:%d: %s: the file is not TOML", path, bad.Position.Line, bad.Message)
		}
		return doc, fmt.Errorf("%s: %w", path, err)
	}
	lines := keyLines(text)
	tables := map[string]*table{}
	var unknown []string // tables reported, so that their keys are not
	for _, key := range meta.Keys() {
		origin := path
		if n := lines[strings.Join(key, "\x00")]; n > 0 {
			origin = fmt.Sprintf("%s:%d", path, n)
		}
		switch value := lookup(raw, key); {
		case key[0] == "buckets" && len(key) <= 2:
			if _, ok := value.(map[string]any); !ok {
				doc.errs = append(doc.errs, fmt.Errorf("%s: %s is not a table: write [buckets.NAME] and its keys below", origin, strings.Join(key, ".")))
			} else if len(key) == 2 {
				tables[key[1]] = &table{name: key[1]}
			}
		case key[0] == "buckets" && len(key) == 3:
			s, err := toSetting(key[2], value, origin)
			doc.errs = append(doc.errs, err...)
			if t := tables[key[1]]; t != nil {
				t.settings = append(t.settings, s)
			} else {
				tables[key[1]] = &table{key[1], []setting{s}}
			}
		case len(key) == 1:
			s, err := toSetting(key[0], value, origin)
			doc.errs = append(doc.errs, err...)
			doc.settings = append(doc.settings, s)
		case !slices.ContainsFunc(unknown, func(name string) bool { return strings.HasPrefix(key.String(), name+".") }):
			unknown = append(unknown, key.String())
			doc.errs = append(doc.errs, fmt.Errorf("%s: unknown key %q: tables are [buckets.NAME], with no table below", origin, key))
		}
	}
	for _, t := range tables {
		doc.buckets = append(doc.buckets, *t)
	}
	slices.SortFunc(doc.buckets, func(a, b table) int { return strings.Compare(a.name, b.name) })
	return doc, nil
}

// lookup finds the value of a key path.
func lookup(raw map[string]any, key []string) any {
	for _, name := range key[:len(key)-1] {
		inner, ok := raw[name].(map[string]any)
		if !ok {
			return nil
		}
		raw = inner
	}
	return raw[key[len(key)-1]]
}

// toSetting turns a TOML value into text. A list of texts is joined with commas.
func toSetting(name string, value any, origin string) (setting, []error) {
	s := setting{name: name, origin: origin}
	switch v := value.(type) {
	case string:
		s.value = v
	case int64:
		s.value = strconv.FormatInt(v, 10)
	case bool:
		s.value = strconv.FormatBool(v)
	case []any:
		var parts []string
		for _, p := range v {
			text, ok := p.(string)
			if !ok {
				return s, []error{fmt.Errorf("%s: %s: a list holds texts only", origin, name)}
			}
			parts = append(parts, text)
		}
		s.value = strings.Join(parts, ",")
	case map[string]any:
		// An unknown table: its name is refused as an unknown key.
	default:
		return s, []error{fmt.Errorf("%s: %s: give a text, a whole number, true or false, or a list of texts", origin, name)}
	}
	return s, nil
}

// keyLines finds the line on which each key of a TOML text is set, as far as
// plain reading can tell: it serves messages only. Keys are joined with NUL.
func keyLines(text string) map[string]int {
	lines := map[string]int{}
	prefix := ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "["):
			prefix = tomlPath(header(line))
			lines[prefix] = n
			prefix += "\x00"
		case strings.HasPrefix(line, "#"):
		default:
			if name, _, ok := strings.Cut(line, "="); ok {
				lines[prefix+tomlPath(name)] = n
			}
		}
	}
	return lines
}

// header returns what stands between the brackets of a table's line.
func header(line string) string {
	line = strings.TrimLeft(line, "[")
	if end := strings.LastIndexByte(line, ']'); end >= 0 {
		line = line[:end]
	}
	return strings.TrimRight(line, "]")
}

// tomlPath splits a dotted key, whose parts may be quoted and then hold dots,
// and joins the parts with NUL.
func tomlPath(dotted string) string {
	var b strings.Builder
	quote := rune(0)
	for _, r := range strings.TrimSpace(dotted) {
		switch {
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case r == quote:
			quote = 0
		case quote == 0 && r == '.':
			b.WriteByte(0)
		case quote == 0 && (r == ' ' || r == '\t'):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
