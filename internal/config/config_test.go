package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// write puts a configuration file into a folder of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ouro.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// flagsOf parses a command line.
func flagsOf(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	BindFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

// load reads a file with this text, an environment and a command line.
func load(t *testing.T, text string, env []string, args ...string) (*Config, Origins) {
	t.Helper()
	c, o, err := Load(write(t, text), env, flagsOf(t, args...))
	if err != nil {
		t.Fatal(err)
	}
	return c, o
}

// A node told nothing works.
func TestDefaults(t *testing.T) {
	c, o, err := Load("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	if !reflect.DeepEqual(*c, Default()) {
		t.Errorf("loaded %+v, want the defaults", *c)
	}
	for _, k := range Describe() {
		if o[k.Name] != "default" {
			t.Errorf("%s comes from %q", k.Name, o[k.Name])
		}
		if k.Doc == "" || k.Type == "" || k.Env != "OURO_"+strings.ToUpper(strings.ReplaceAll(k.Name, "-", "_")) {
			t.Errorf("%s is not described: %+v", k.Name, k)
		}
	}
	if got := c.StaticMembers(); len(got) != 1 || got[0].ID != "n1" || got[0].Addr != "127.0.0.1:7071" {
		t.Errorf("a cluster of one is %+v", got)
	}
	if got := c.Exposed(); got != nil {
		t.Errorf("exposed: %q", got)
	}
}

// Flag over environment over file over default; each value knows its origin.
func TestPrecedence(t *testing.T) {
	file := "# a comment\nid = \"from-file\"\n\nzone = \"from-file\"\ndc = \"from-file\"\nmax-value = \"2MiB\"\ninsecure = true\nq = 64\n"
	env := []string{"OURO_ZONE=from-env", "OURO_DC=from-env", "HOME=/", "OURO_ADDR=1:2", "OURO_SERVICE_HOST=10.0.0.1", "OURO_DB=x"}
	c, o := load(t, file, env, "--dc", "from-flag", "--insecure=false")
	if c.ID != "from-file" || c.Zone != "from-env" || c.DC != "from-flag" || c.Cluster != "ouro" || c.Insecure || c.Q != 64 || c.Limits.MaxValue != 2<<20 {
		t.Errorf("loaded %+v", c)
	}
	for key, want := range map[string]string{
		"id": "ouro.toml:2", "zone": "environment OURO_ZONE", "dc": "flag --dc", "cluster": "default",
		"max-value": "ouro.toml:6", "insecure": "flag --insecure", "q": "ouro.toml:8",
	} {
		if got := o[key]; !strings.HasSuffix(got, want) {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
}

// Every key can be set in each of the three ways, by the same text.
func TestEveryKeyEveryWay(t *testing.T) {
	other := map[string]string{
		"text": "x", "path": "x", "host:port": "127.0.0.1:1", "number": "7", "bool": "true", "size": "3MiB",
		"duration": "3s", "host:port,...": "127.0.0.1:1,127.0.0.1:2", "siblings|lww|types": "types", "all|one|buffered": "one", "name,...": "a,b", "id=host:port,...": "a=h:1;zone=z",
	}
	for _, k := range Describe() {
		value, known := other[k.Type]
		if !known {
			t.Fatalf("%s has the unknown type %q", k.Name, k.Type)
		}
		if k.Type == "bool" && k.Default == value {
			value = "false"
		}
		quoted := value
		if k.Type != "number" && k.Type != "bool" {
			quoted = `"` + value + `"`
		}
		byFile, _ := load(t, k.Name+" = "+quoted, nil)
		byEnv, _ := load(t, "", []string{k.Env + "=" + value})
		byFlag, _ := load(t, "", nil, "--"+k.Name+"="+value)
		if reflect.DeepEqual(*byFile, Default()) {
			t.Errorf("%s in the file changes nothing", k.Name)
		}
		if !reflect.DeepEqual(byFile, byEnv) || !reflect.DeepEqual(byFile, byFlag) {
			t.Errorf("%s: file, environment and flag set different things", k.Name)
		}
	}
}

func TestBuckets(t *testing.T) {
	c, o := load(t, `
timeout = "3s"
r = 1

[buckets.cache]
n = 1
mode = "lww"
ttl = "24h"

  [ buckets."a.b" ] # dotted
"pw" = 2

[buckets.wide]
n = 5
w = 5
`, []string{"OURO_TIMEOUT=4s"})
	want := []member.NamedBucket{
		{Name: "a.b", Bucket: member.Bucket{N: 3, R: 1, W: 2, PW: 2, Timeout: 4 * time.Second}},
		{Name: "cache", Bucket: member.Bucket{N: 1, R: 1, W: 1, Timeout: 4 * time.Second, TTL: 24 * time.Hour, LWW: true}},
		{Name: "wide", Bucket: member.Bucket{N: 5, R: 3, W: 5, Timeout: 4 * time.Second}},
	}
	if !reflect.DeepEqual(c.Buckets, want) {
		t.Errorf("buckets %+v, want %+v", c.Buckets, want)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for key, want := range map[string]string{
		"buckets.cache.n": "ouro.toml:6", "buckets.cache.w": "derived from n", "buckets.a.b.pw": "ouro.toml:11",
		"buckets.wide.r": "derived from n", "buckets.wide.w": "ouro.toml:15", "buckets.wide.ttl": "default",
	} {
		if got := o[key]; !strings.HasSuffix(got, want) {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
	if got := c.FoundingBuckets(); len(got) != 5 || got[0].Name != "" || got[0].R != 1 || got[3].Name != "redis" || !got[3].Types {
		t.Errorf("founding buckets %+v", got)
	}
}

// r and w are the majority of n unless they are set.
func TestMajority(t *testing.T) {
	c, o := load(t, "", nil, "--n", "5", "--w", "1")
	if c.Bucket.R != 3 || c.Bucket.W != 1 || o["r"] != "derived from n" || o["w"] != "flag --w" {
		t.Errorf("r=%d (%s) w=%d (%s)", c.Bucket.R, o["r"], c.Bucket.W, o["w"])
	}
}

// What a Config prints loads to an equal one.
func TestRoundTrip(t *testing.T) {
	c, _ := load(t, `
id = "a"
data = 'C:\x "quoted" 	tab'
members = ["a=10.0.0.1:7071;zone=z1;dc=d;weight=2", "b=[::1]:7071"]
seeds = "one:1, two:2"
insecure = true
prune-age = "90m"
max-pending = "1GiB"
max-frame = "134217729B"

[buckets."b.1"]
n = 1
mode = "lww"
`, nil)
	again, _ := load(t, c.String(), nil)
	if !reflect.DeepEqual(again, c) {
		t.Errorf("printed\n%s\nwhich loads to\n%+v\nwant\n%+v", c, again, c)
	}
}

func TestSettings(t *testing.T) {
	c, o := load(t, "[buckets.b]\nn = 1", nil, "--id", "x")
	found := map[string]Setting{}
	for _, s := range c.Settings(o) {
		if s.Origin == "" {
			t.Errorf("%s has no origin", s.Name)
		}
		found[s.Name] = s
	}
	if s := found["id"]; s.Value != "x" || s.Origin != "flag --id" {
		t.Errorf("id is shown as %+v", s)
	}
	if s := found["prune-age"]; s.Value != "24h" {
		t.Errorf("prune-age is shown as %+v", s)
	}
	if s := found["buckets.b.mode"]; s.Value != "siblings" || s.Origin != "default" {
		t.Errorf("buckets.b.mode is shown as %+v", s)
	}
}

// What can't be read is refused with the place and what to do.
func TestUnreadable(t *testing.T) {
	for _, test := range []struct {
		name, file string
		env        []string
		want       []string
	}{
		{"not TOML", "id = \n", nil, []string{"ouro.toml:1", "not TOML"}},
		{"a key twice", "id = \"a\"\nid = \"b\"\n", nil, []string{"ouro.toml:2"}},
		{"unknown key", "\npeer-listn = \"x\"\n", nil, []string{"ouro.toml:2", `unknown key "peer-listn"`, "did you mean peer-listen?"}},
		{"unlike any key", "quetzalcoatl = 1", nil, []string{`"quetzalcoatl"`, "config show"}},
		{"unknown table", "[bucket.x]\nn = 1", nil, []string{`"bucket.x"`, "ouro.toml:1", "[buckets.NAME]"}},
		{"unknown key of a bucket", "[buckets.x]\ntimeot = \"1s\"", nil, []string{"ouro.toml:2", "[buckets.x]", "did you mean timeout?"}},
		{"table below a bucket", "[buckets.x.y]\nn = 1", nil, []string{"ouro.toml:1", "buckets.x"}},
		{"bucket that is no table", "[buckets]\nx = 1", nil, []string{"ouro.toml:2", "write [buckets.NAME]"}},
		{"buckets that is no table", "buckets = 1", nil, []string{"ouro.toml:1", "write [buckets.NAME]"}},
		{"text for a number", "q = \"many\"", nil, []string{"ouro.toml:1", "q", "not a whole number"}},
		{"fraction", "q = 1.5", nil, []string{"ouro.toml:1", "whole number"}},
		{"duration without a unit", "timeout = 2", nil, []string{"timeout", `"2" is not a duration`, "2s"}},
		{"size without a unit", "max-value = 1048576", nil, []string{"max-value", "not a size", "1MiB"}},
		{"number for a bool", "insecure = 1", nil, []string{"insecure", "neither true nor false"}},
		{"mode", "[buckets.x]\nmode = \"first\"", nil, []string{"buckets.x.mode", "choose siblings"}},
		{"list of numbers", "seeds = [1]", nil, []string{"seeds", "texts only"}},
		{"member without address", "members = \"n1\"", nil, []string{"members", "write id=host:port"}},
		{"member without port", "members = \"n1=host\"", nil, []string{"not host:port"}},
		{"member with a bad port", "members = \"n1=host:99999\"", nil, []string{"0 to 65535"}},
		{"member twice", "members = \"n1=a:1,n1=b:1\"", nil, []string{"n1 is listed twice"}},
		{"address twice", "members = \"n1=a:1,n2=a:1\"", nil, []string{"same address a:1"}},
		{"member id", "members = \"n 1=a:1\"", nil, []string{"the character ' '"}},
		{"member attribute", "members = \"n1=a:1;rack=2\"", nil, []string{`"rack"`, "zone, dc and weight"}},
		{"member weight", "members = \"n1=a:1;weight=0\"", nil, []string{"whole number from 1"}},
		{"environment value", "", []string{"OURO_Q=x"}, []string{"environment OURO_Q", "not a whole number"}},
		{"misspelt variable", "", []string{"OURO_PEER_LISTN=x"}, []string{"OURO_PEER_LISTN", "did you mean OURO_PEER_LISTEN?"}},
		{"several at once", "q = \"x\"\nfoo = 1", []string{"OURO_WEIGHT=y"}, []string{"q:", `"foo"`, "OURO_WEIGHT"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Load(write(t, test.file), test.env, nil)
			if err == nil {
				t.Fatal("it was read")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want it to say %q", err, want)
				}
			}
		})
	}
	if _, _, err := Load(filepath.Join(t.TempDir(), "none.toml"), nil, nil); err == nil || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("no file: error %v", err)
	}
}

// What makes no sense is refused with what to do.
func TestInvalid(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, test := range []struct {
		want string
		args []string
	}{
		{"--insecure", []string{"--listen=0.0.0.0:7070"}},
		{"peer-listen: :7071 can be reached", []string{"--peer-listen=:7071"}},
		{"admin-listen: example.com:7072 can be reached", []string{"--admin-listen=example.com:7072"}},
		{"listen: \"7070\" is not host:port", []string{"--listen=7070"}},
		{"listen and peer-listen are both", []string{"--listen=127.0.0.1:7071"}},
		{"advertise: \"x\"", []string{"--advertise=x"}},
		{"advertise: nobody can dial 0.0.0.0:7071", []string{"--advertise=0.0.0.0:7071"}},
		{"advertise-clients: nobody can dial a:0", []string{"--advertise-clients=a:0"}},
		{"memory-limit: engine pebble keeps its data on disk", []string{"--memory-limit=1GiB"}},
		{"seeds: \"x\"", []string{"--seeds=x"}},
		{"id: a node id is empty", []string{"--id="}},
		{"65 characters", []string{"--id=" + long}},
		{"data: the folder has no name", []string{"--data="}},
		{"cluster: \"a b\" cannot name", []string{"--cluster=a b"}},
		{`engine: "rocks" is none of`, []string{"--engine=rocks"}},
		{"log-level", []string{"--log-level=loud"}},
		{"log-format", []string{"--log-format=xml"}},
		{"shards: -1 is out of bounds", []string{"--shards=-1"}},
		{"weight: 0 is out of bounds", []string{"--weight=0"}},
		{"zone and dc", []string{"--zone=" + long}},
		{"q: q is 1000", []string{"--q=1000"}},
		{"this node, n1, is not in the list", []string{"--members=n2=a:1"}},
		{"members: 2 members share 1 partitions", []string{"--members=n1=a:1,n2=a:2", "--q=1"}},
		{"put them there", []string{"--members=n1=a:1", "--zone=z"}},
		{"put them there", []string{"--members=n1=a:1;zone=y", "--zone=z"}},
		{"r=4 is more than n=3", []string{"--r=4"}},
		{"pw=3 is more than w=2", []string{"--pw=3"}},
		{"timeout=0s", []string{"--timeout=0s"}},
		{"max-frame: 64MiB cannot carry", []string{"--max-frame=64MiB"}},
		{"max-frame: 128MiB cannot carry", []string{"--max-value=2MiB"}},
		{"max-value: 0B is out of bounds", []string{"--max-value=0B"}},
		{"drain-body", []string{"--drain-body=2GiB"}},
		{"max-siblings", []string{"--max-siblings=0"}},
		{"max-in-flight", []string{"--max-in-flight=0"}},
		{"inbox", []string{"--inbox=0"}},
		{"max-explain", []string{"--max-explain=0"}},
		{"max-links", []string{"--max-links=0"}},
		{"request-tokens", []string{"--request-tokens=0"}},
		{"request-token-ttl: 0s is out of bounds: choose from 1s to 1h", []string{"--request-token-ttl=0s"}},
		{"repair-wait", []string{"--repair-wait=-1s"}},
		{"exceptions", []string{"--exceptions=0"}},
		{"prune: 0", []string{"--prune=0"}},
		{"prune-hard: 9 is out of bounds: choose from 24", []string{"--prune-hard=9"}},
		{"prune-age", []string{"--prune-age=-1h"}},
	} {
		c, _ := load(t, "", nil, test.args...)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want one with %q", test.args, err, test.want)
		}
	}
	c, _ := load(t, "[buckets.\"a b\"]\nr = 9", nil)
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "[buckets.a b]: the bucket name") || !strings.Contains(err.Error(), "r=9 is more") {
		t.Errorf("bad bucket: error %v", err)
	}
}

func TestInsecure(t *testing.T) {
	c, _ := load(t, "", nil, "--insecure", "--listen", "0.0.0.0:7070", "--peer-listen", "[::1]:7071", "--admin-listen", "localhost:7072")
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if got := c.Exposed(); len(got) != 1 || got[0] != "listen 0.0.0.0:7070" {
		t.Errorf("exposed: %q", got)
	}
	free, _ := load(t, "", nil, "--listen=127.0.0.1:0", "--peer-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0")
	if err := free.Validate(); err != nil {
		t.Errorf("free ports are refused: %v", err)
	}
}

func TestStaticMembers(t *testing.T) {
	c, _ := load(t, "", nil, "--members", "n1=a:1;zone=x,n2=b:1", "--id", "n2")
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	want := []member.Member{
		{Node: ring.Node{ID: "n1", Weight: 1, Zone: "x"}, Addr: "a:1"},
		{Node: ring.Node{ID: "n2", Weight: 1}, Addr: "b:1"},
	}
	if got := c.StaticMembers(); !reflect.DeepEqual(got, want) || c.PeerAddr() != "b:1" {
		t.Errorf("members %+v, reached at %s", got, c.PeerAddr())
	}
	seeded, _ := load(t, "", nil, "--seeds", "a:1", "--advertise", "pub:9")
	if got := seeded.StaticMembers(); got != nil || seeded.PeerAddr() != "pub:9" {
		t.Errorf("a node with seeds forms a cluster of %+v, reached at %s", got, seeded.PeerAddr())
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"0B": 0, "1B": 1, "1KiB": 1 << 10, "2kb": 2 << 10, "3 MiB": 3 << 20, "4GB": 4 << 30, "1025B": 1025} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("%q is %d, error %v; want %d", text, got, err, want)
		}
		if again, err := ParseSize(got.String()); err != nil || again != got {
			t.Errorf("%d prints as %q, which is %d, error %v", got, got, again, err)
		}
	}
	for _, text := range []string{"", "1", "B", "-1B", "1.5MiB", "1TiB", "9223372036854775807GiB", "1 2B", "MiB1"} {
		if n, err := ParseSize(text); err == nil {
			t.Errorf("%q was read as %d", text, n)
		}
	}
}

// Whatever stands in a file, reading it ends with settings or an error, and what
// was read prints as a file of the same settings.
func FuzzFile(f *testing.F) {
	f.Add("id = \"a\"\n[buckets.x]\nn = 1\n")
	f.Add("members = [\"a=h:1;zone=z\"]\nmax-value = \"1MiB\"\n[ buckets.\"a.b\" ]\nttl='1h'")
	f.Add("[[buckets]]\n[buckets.x.y]\n\"\" = {}")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "a.toml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		c, _, err := Load(path, nil, nil)
		if err != nil || c.Validate() != nil {
			return
		}
		if err := os.WriteFile(path, []byte(c.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		again, _, err := Load(path, nil, nil)
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("%q loads to\n%+v\nwhich prints as\n%s\nand loads to\n%+v, error %v", text, c, c, again, err)
		}
	})
}
