package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLevelChangesAtRunTime(t *testing.T) {
	var b bytes.Buffer
	level := new(slog.LevelVar)
	log, err := NewLogger(&b, FormatAuto, level)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("one")
	level.Set(slog.LevelDebug)
	log.Debug("two")
	if s := b.String(); strings.Contains(s, "one") || !strings.Contains(s, `"msg":"two"`) {
		t.Errorf("%s", s)
	}
}

func TestFormats(t *testing.T) {
	for format, want := range map[string]string{FormatJSON: `"msg":"hello"`, FormatText: "INF hello", FormatAuto: `"msg":"hello"`} {
		var b bytes.Buffer
		log, err := NewLogger(&b, format, new(slog.LevelVar))
		if err != nil {
			t.Fatal(err)
		}
		log.Info("hello")
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: %s", format, &b)
		}
	}
	if _, err := NewLogger(&bytes.Buffer{}, "xml", new(slog.LevelVar)); err == nil || !strings.Contains(err.Error(), "auto, json or text") {
		t.Error(err)
	}
}

// TestLimit: of one warning one a second passes, and the next one that does says
// how many did not; others and lower levels are not held back by it.
func TestLimit(t *testing.T) {
	var b bytes.Buffer
	h := Limit(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: withoutTime}), time.Second)
	start := time.Unix(1000, 0)
	write := func(level slog.Level, text string, after time.Duration) {
		t.Helper()
		// Handlers that come of one share its count.
		r := slog.NewRecord(start.Add(after), level, text, 0)
		if err := h.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g").Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		write(slog.LevelWarn, "link down", time.Duration(i)*100*time.Millisecond)
		write(slog.LevelInfo, "fine", 0)
	}
	write(slog.LevelError, "disk broken", 0)
	write(slog.LevelWarn, "link down", time.Second)
	write(slog.LevelWarn, "link down", 2*time.Second)
	s := b.String()
	if strings.Count(s, "link down") != 3 || strings.Count(s, "omitted=4") != 1 || strings.Count(s, "omitted") != 1 || strings.Count(s, "fine") != 5 || strings.Count(s, "disk broken") != 1 {
		t.Errorf("%s", s)
	}
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func TestLimitIsBounded(t *testing.T) {
	s := &seen{every: time.Second, messages: map[string]*message{}}
	for i := range 10 * maxMessages {
		if _, pass := s.take(fmt.Sprint(i), time.Unix(0, 0)); !pass {
			t.Fatalf("message %d was held back", i)
		}
	}
	if len(s.messages) > maxMessages {
		t.Errorf("%d messages are kept", len(s.messages))
	}
}
