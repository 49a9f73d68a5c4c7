package transport

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Every wrong pair of nodes is refused on the side that dialled, by a name of
// its own and in words, logged once, with no link reported.
func TestWrongPeersAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		b    func(*Config)
		want RefusalCode
		text string
	}{
		"other cluster": {func(c *Config) { c.Self.Cluster = "prod" }, ForeignCluster, `does not belong to your cluster`},
		"same name":     {func(c *Config) { c.Self.ClusterID = 8 }, ForeignCluster, `0000000000000007`},
		"other node":    {func(c *Config) { c.Self.Node = "z" }, WrongNode, `wants node \"b\" and this is \"z\"`},
		"own address":   {func(c *Config) { c.Self.Node, c.Self.Runs = "a", []uint64{1, 5} }, OwnAddress, `node's own`},
		"duplicate id":  {func(c *Config) { c.Self.Node, c.Self.Runs = "a", []uint64{6} }, DuplicateNode, `another process runs`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := newNetwork()
				a := start(t, n, "a", func(c *Config) { c.Self.Runs = []uint64{4, 5} })
				b := start(t, n, "b", c.b)
				a.SetPeers(map[string]string{"b": "b"})
				settle(9 * time.Second)
				if len(a.all())+len(b.all()) != 0 {
					t.Errorf("links %v %v", a.all(), b.all())
				}
				if a.log.count(c.want.String()) != 1 || a.log.count(c.text) != 1 {
					t.Errorf("the dialler's log lacks %q or %q, or repeats them:\n%s", c.want, c.text, a.log)
				}
				if b.log.count("link refused") != 1 {
					t.Errorf("the other log:\n%s", b.log)
				}
				if b.Stats().Refused < 2 {
					t.Errorf("refused %d times", b.Stats().Refused)
				}
			})
		})
	}
}

func TestCheckDecides(t *testing.T) {
	rolledBack := errors.New("node a was restored from a copy: its start 1 is older than the 3 seen")
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a", func(c *Config) { c.Self.Starts, c.Self.Runs = 3, []uint64{1, 2, 3} }), start(t, n, "b")
		var saw atomic.Pointer[Hello]
		b.recorder.judge(func(h Hello, _ uint64) ([]uint64, error) {
			saw.Store(&h)
			return nil, rolledBack
		})
		a.SetPeers(map[string]string{"b": "b"})
		settle(time.Second)
		if a.turns("b") != "" || a.log.count("restored from a copy") != 1 {
			t.Errorf("links %q, log\n%s", a.turns("b"), a.log)
		}
		if seen := saw.Load(); seen.Node != "a" || seen.Starts != 3 || len(seen.Runs) != 3 || seen.Addr != "a" {
			t.Errorf("Check saw %+v", seen)
		}
		b.SetPeers(map[string]string{"a": "a"}) // its own links are checked too
		settle(time.Second)
		if b.turns("a") != "" || b.log.count("no link to peer") != 1 {
			t.Errorf("links %q, log\n%s", b.turns("a"), b.log)
		}
	})
}

// A stranger learns nothing: who does not speak the protocol gets no byte, who
// is of another cluster only that.
func TestStrangersLearnNothing(t *testing.T) {
	for name, c := range map[string]struct {
		say  string
		want string
		log  string
	}{
		"http":      {"GET / HTTP/1.1\r\n\r\n", "", "speaks HTTP"},
		"tls":       {"\x16\x03\x01\x02\x00\x01\x00", "", "speaks TLS"},
		"noise":     {"\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff", "", "began with"},
		"version":   {"OURO\x07\x00\x09\x00", "upgrade the older one", "versions 1 to 1"},
		"length":    {"OURO\x01\x00\x01\x00\xff\xff\xff\x7f\x00\x00\x00\x00", "", "malformed handshake"},
		"checksum":  {"OURO\x01\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", "", "checksum"},
		"foreigner": {string(foreigner()), "does not belong to your cluster", "foreign cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := newNetwork()
				b := start(t, n, "secretive")
				conn, err := n.dial(t.Context(), "secretive")
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = io.WriteString(conn, c.say) }()
				told, err := io.ReadAll(conn)
				if err != nil {
					t.Fatal(err)
				}
				if c.want == "" && len(told) != 0 || !strings.Contains(string(told), c.want) {
					t.Errorf("told %q", told)
				}
				if strings.Contains(string(told), "secretive") || strings.Contains(string(told), "test") {
					t.Errorf("told %q, which names the cluster or the node", told)
				}
				settle(0)
				if b.log.count(c.log) != 1 {
					t.Errorf("the log lacks %q:\n%s", c.log, b.log)
				}
				_ = conn.Close()
			})
		})
	}
}

func foreigner() []byte {
	near, far := net.Pipe()
	go func() {
		_ = greet(near, greeting{hello: Hello{Cluster: "prod", Node: "x"}})
		_ = near.Close()
	}()
	b, _ := io.ReadAll(far)
	return b
}

func TestHandshakeHasATimeLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		ln := n.listen("b") // accepts and says nothing
		conns := make(chan net.Conn, 100)
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					close(conns)
					return
				}
				conns <- c
				go func() { _, _ = io.Copy(io.Discard, c) }()
			}
		}()
		a.SetPeers(map[string]string{"b": "b"})
		settle(12 * time.Second)
		if got := len(conns); got != 3 {
			t.Errorf("%d attempts of 5 s in 12 s", got)
		}
		if a.turns("b") != "" || a.log.count("timeout") == 0 {
			t.Errorf("links %q, log\n%s", a.turns("b"), a.log)
		}
		_ = a.Close()
		_ = ln.Close()
		for c := range conns {
			_ = c.Close()
		}
	})
}

func TestGreetingsSurviveTheWire(t *testing.T) {
	runs := make([]uint64, MaxRuns)
	for i := range runs {
		runs[i] = uint64(i) << 50
	}
	for _, want := range []greeting{
		{hello: Hello{Cluster: "c", ClusterID: 1 << 63, Node: "n", Client: true, Starts: 1 << 40, Runs: runs, Addr: "h:1", Clients: "h:2"}, target: "m"},
		{hello: Hello{Cluster: strings.Repeat("c", 255), Node: strings.Repeat("n", 255), Addr: strings.Repeat("a", 255), Clients: strings.Repeat("c", 255)}},
		{hello: Hello{Cluster: "c", Node: "n", Disk: 1 << 60, Knows: runs, Replaced: runs, Recovering: true}},
		{refusal: &RefusedError{Code: WrongNode, Message: "m", Epoch: 300, ByPeer: true}},
		{refusal: &RefusedError{Code: ComeBack, Linked: true, ByPeer: true}},
	} {
		b := appendGreeting(nil, want)
		if len(b) > maxHello/2 {
			t.Errorf("%d bytes leave little room for a tail", len(b))
		}
		b = append(b[:len(b)-1], 3, 'n', 'e', 'w') // what a later version adds
		got, err := decodeGreeting(b)
		if err != nil || !equalGreetings(got, want) {
			t.Errorf("decoded %+v, %v, not %+v", got, err, want)
		}
		for n := range b {
			if _, err := decodeGreeting(b[:n]); err == nil {
				t.Errorf("the first %d of %d bytes were taken", n, len(b))
			}
		}
	}
	long := appendGreeting(nil, greeting{hello: Hello{Cluster: strings.Repeat("c", 256)}})
	if _, err := decodeGreeting(long); err == nil {
		t.Error("a cluster name of 256 bytes was taken")
	}
}

func FuzzHandshake(f *testing.F) {
	f.Add(foreigner())
	f.Add(binary.LittleEndian.AppendUint32([]byte("OURO\x01\x00\x01\x00"), 1<<31))
	f.Add(appendGreeting(nil, greeting{refusal: refuse(WrongNode, "no")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := decodeGreeting(b); err == nil {
			again, err := decodeGreeting(appendGreeting(nil, g))
			if err != nil || !equalGreetings(again, g) {
				t.Fatalf("%v: %+v became %+v", err, g, again)
			}
		}
		r := strings.NewReader(string(b))
		if readPreamble(r) == nil {
			_, _ = readGreeting(r) // must not panic
		}
	})
}

func equalGreetings(a, b greeting) bool {
	return string(appendGreeting(nil, a)) == string(appendGreeting(nil, b))
}
