package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Setting is one value in force, for 'ouro config show'.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// Settings returns every value in force and where it came from.
func (c *Config) Settings(o Origins) []Setting {
	var out []Setting
	for _, k := range schema() {
		out = append(out, Setting{k.name, k.at(c).String(), o[k.name]})
	}
	for i := range c.Buckets {
		b := &c.Buckets[i]
		for _, k := range bucketKeys() {
			name := "buckets." + b.Name + "." + k.name
			out = append(out, Setting{name, k.at(&b.Bucket).String(), o[name]})
		}
	}
	return out
}

// String returns the settings as a configuration file that loads to the same.
func (c *Config) String() string {
	var b strings.Builder
	for _, k := range schema() {
		v := k.at(c)
		fmt.Fprintf(&b, "%s = %s\n", k.name, tomlText(v.Type(), v.String()))
	}
	for i := range c.Buckets {
		bucket := &c.Buckets[i]
		fmt.Fprintf(&b, "\n[buckets.%s]\n", tomlName(bucket.Name))
		for _, k := range bucketKeys() {
			v := k.at(&bucket.Bucket)
			fmt.Fprintf(&b, "%s = %s\n", k.name, tomlText(v.Type(), v.String()))
		}
	}
	return b.String()
}

// tomlText writes a value of a type.
func tomlText(kind, value string) string {
	if kind == "number" || kind == "bool" {
		return value
	}
	return tomlString(value)
}

// tomlName quotes a bucket's name: one with a dot would be two otherwise.
func tomlName(name string) string { return tomlString(name) }

// tomlString writes a basic TOML string. Go's quoting knows escapes that TOML
// does not, so what is not plain is written as \uXXXX.
func tomlString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			b.WriteString(`\u` + strings.Repeat("0", 4-len(strconv.FormatInt(int64(r), 16))) + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
