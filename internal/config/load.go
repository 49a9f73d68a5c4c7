package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ourodb/ouro/internal/core/member"
)

// Origins says where each value came from: "default", "derived from n",
// "FILE:LINE", "environment OURO_X" or "flag --x". Its keys are names of keys,
// and buckets.NAME.KEY.
type Origins map[string]string

const (
	fromDefault = "default"
	derived     = "derived from n"
)

// BindFlags adds a flag for every key.
func BindFlags(fs *pflag.FlagSet) {
	def := Default()
	for _, k := range schema() {
		flag := fs.VarPF(k.at(&def), k.name, "", k.doc)
		if flag.Value.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
}

// Load reads the settings: defaults, under those of the file (none where file is
// ""), under those of env (as [os.Environ] gives it), under the flags that were
// given (flags may be nil). It reports everything that can't be read, not only
// the first; whether the values make sense together says [Config.Validate].
func Load(file string, env []string, flags *pflag.FlagSet) (*Config, Origins, error) {
	l := loader{config: Default(), origins: Origins{}}
	for _, k := range schema() {
		l.keys = append(l.keys, k)
		l.origins[k.name] = fromDefault
	}
	var buckets []table
	if file != "" {
		buckets = l.file(file)
	}
	l.environment(env)
	if flags != nil {
		l.flags(flags)
	}
	l.majorities()
	for _, t := range buckets {
		l.bucket(t)
	}
	if len(l.errs) > 0 {
		return nil, nil, errors.Join(l.errs...)
	}
	return &l.config, l.origins, nil
}

// loader is a Config in the making.
type loader struct {
	config  Config
	origins Origins
	keys    []key[Config]
	errs    []error
}

func (l *loader) fail(origin, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s: %w", origin, fmt.Errorf(format, args...)))
}

// set gives a key a value that came from origin, unless there is no such key.
func (l *loader) set(name, value, origin string) bool {
	for _, k := range l.keys {
		if k.name != name {
			continue
		}
		if err := k.at(&l.config).Set(value); err != nil {
			l.fail(origin, "%s: %w", name, err)
		}
		l.origins[name] = origin
		return true
	}
	return false
}

// file reads the settings of a file and returns its bucket tables, which build
// on the defaults that environment and flags may still change.
func (l *loader) file(path string) []table {
	text, err := os.ReadFile(path)
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("configuration file: %w", err))
		return nil
	}
	doc, err := parseFile(path, string(text))
	if err != nil {
		l.errs = append(l.errs, err)
		return nil
	}
	for _, s := range doc.settings {
		if !l.set(s.name, s.value, s.origin) {
			l.fail(s.origin, "unknown key %q%s", s.name, suggest(s.name, l.names()))
		}
	}
	l.errs = append(l.errs, doc.errs...)
	return doc.buckets
}

func (l *loader) names() []string {
	var names []string
	for _, k := range l.keys {
		names = append(names, k.name)
	}
	return names
}

// environment reads OURO_ variables. Other programs put variables of that prefix
// there too (a Kubernetes service called ouro does), so an unknown one is an
// error only where it looks like a misspelt key.
func (l *loader) environment(env []string) {
	var names []string
	for _, k := range l.keys {
		names = append(names, envName(k.name))
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, envPrefix)), "_", "-")
		origin := "environment " + name
		if envName(key) == name && l.set(key, value, origin) {
			continue
		}
		if near, distance := nearest(name, names); distance <= 2 && len(key) >= 5 {
			l.fail(origin, "unknown variable: did you mean %s?", near)
		}
	}
}

func (l *loader) flags(flags *pflag.FlagSet) {
	for _, k := range l.keys {
		if f := flags.Lookup(k.name); f != nil && f.Changed {
			l.set(k.name, f.Value.String(), "flag --"+k.name)
		}
	}
}

// majorities makes r and w the majority of n where nobody set them.
func (l *loader) majorities() {
	b := &l.config.Bucket
	if l.origins["n"] == fromDefault || b.N < 1 {
		return
	}
	for name, p := range map[string]*int{"r": &b.R, "w": &b.W} {
		if l.origins[name] == fromDefault {
			*p, l.origins[name] = member.Majority(b.N), derived
		}
	}
}

// bucket defines a bucket: what its table does not say is the default's, but an r
// or w that goes with another n is the majority of its own.
func (l *loader) bucket(t table) {
	b := member.NamedBucket{Name: t.name, Bucket: l.config.Bucket}
	prefix := "buckets." + t.name + "."
	keys := bucketKeys()
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
		l.origins[prefix+k.name] = fromDefault
	}
	for _, s := range t.settings {
		found := false
		for _, k := range keys {
			if k.name != s.name {
				continue
			}
			found = true
			if err := k.at(&b.Bucket).Set(s.value); err != nil {
				l.fail(s.origin, "%s%s: %w", prefix, s.name, err)
			}
			l.origins[prefix+s.name] = s.origin
		}
		if !found {
			l.fail(s.origin, "unknown key %q in [buckets.%s]%s", s.name, t.name, suggest(s.name, names))
		}
	}
	if b.N != l.config.Bucket.N && b.N > 0 {
		for name, p := range map[string]*int{"r": &b.R, "w": &b.W} {
			if l.origins[prefix+name] == fromDefault {
				*p, l.origins[prefix+name] = member.Majority(b.N), derived
			}
		}
	}
	l.config.Buckets = append(l.config.Buckets, b)
}
