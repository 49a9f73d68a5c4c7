package admin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// begin sends the head of a request that announces ten bytes, and then what is given.
func begin(t *testing.T, s *httptest.Server, body string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n%s", body)
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	return conn
}

// A connection ends whose announced body does not come, be it read or not.
func TestBodiesThatDoNotCome(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"read":   func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
		"unread": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(impatient(handle, 50*time.Millisecond))
			defer s.Close()
			if _, err := io.ReadAll(begin(t, s, "begun")); err != nil {
				t.Errorf("the connection does not end: %v", err)
			}
		})
	}
}

// What takes long after its body has come is not ended.
func TestBodiesThatCame(t *testing.T) {
	s := httptest.NewServer(impatient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			err = r.Context().Err()
		case <-time.After(300 * time.Millisecond):
		}
		fmt.Fprint(w, string(body), err)
	}), 100*time.Millisecond))
	defer s.Close()
	got := make([]byte, 1000)
	n, err := begin(t, s, "0123456789").Read(got)
	if err != nil || !strings.HasSuffix(string(got[:n]), "0123456789<nil>") {
		t.Errorf("%q, %v", got[:n], err)
	}
}
