package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// The forms of log lines.
const (
	FormatAuto = "auto" // text on a terminal, else JSON
	FormatJSON = "json"
	FormatText = "text"
)

// repeats is how often one message is written; more of it is counted.
const repeats = time.Second

// NewLogger returns a logger that writes to w from level on, which may be
// changed at any time. Of warnings and errors with one message it writes one a
// second and says how many it left out.
func NewLogger(w io.Writer, format string, level *slog.LevelVar) (*slog.Logger, error) {
	var h slog.Handler
	switch {
	case format == FormatText, format == FormatAuto && isTerminal(w):
		h = tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05.000", NoColor: !isTerminal(w)})
	case format == FormatJSON, format == FormatAuto:
		h = slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	default:
		return nil, fmt.Errorf("log format %q: it is %s, %s or %s", format, FormatAuto, FormatJSON, FormatText)
	}
	return slog.New(Limit(h, repeats)), nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
