package transport

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestRepeatedTroubleIsLoggedRarely(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := &logBuffer{}
		n := notices{log: slog.New(slog.NewTextHandler(log, nil))}
		reset := func(port int) error { // the local port differs each time
			from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
			return &net.OpError{Op: "read", Net: "tcp", Source: from, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
		}
		for i := range 3600 { // an hour
			n.warn("no link", "b", reset(i))
			time.Sleep(time.Second)
		}
		// After 0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430 and 3030 seconds.
		if got := log.count("no link"); got != 11 {
			t.Errorf("logged %d times:\n%s", got, log)
		}
		if log.count("repeated=9") != 1 {
			t.Errorf("the log does not say what it left out:\n%s", log)
		}
		n.warn("no link", "b", errNobody) // other trouble is news
		n.clear("b")
		n.warn("no link", "b", errNobody) // and so is trouble that came back
		if got := log.count("no link"); got != 13 {
			t.Errorf("logged %d times:\n%s", got, log)
		}
	})
}

func TestNoticesAreBounded(t *testing.T) {
	n := notices{log: quiet}
	for i := range 10 * noticeKeys {
		n.refused(fmt.Sprintf("10.0.%d.%d:1", i/256, i%256), errNobody)
		if len(n.seen) > noticeKeys {
			t.Fatalf("%d remembered", len(n.seen))
		}
	}
}
