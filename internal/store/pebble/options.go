package pebble

import (
	"log/slog"
	"runtime"
	"time"

	cockroach "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Format is the on-disk format that new stores get and older ones are raised
// to. There is no way back from it, so it is pinned here and rises only on
// purpose, never by updating the library.
const Format = cockroach.FormatValueSeparation

// Defaults and bounds of [Options].
const (
	DefaultCacheBytes    = 64 << 20
	DefaultMemTableBytes = 16 << 20
	DefaultMaxUnsynced   = 1024
	DefaultSeparateFrom  = 4 << 10

	// maxUnsynced is the library's own bound on syncs in flight, less one for a
	// turn of the log and some room.
	maxUnsynced = 4000
)

// Options are the settings of an engine. The zero value is right for a small
// node: about 150 MiB of memory.
type Options struct {
	// CacheBytes is the size of the cache of blocks read from disk.
	CacheBytes int64
	// MemTableBytes is the size of one memtable. Up to four exist: three being
	// written to disk while the fourth fills; then Apply waits.
	MemTableBytes uint64
	// MaxUnsynced is how many batches may be applied and not synced, at most
	// 4,000. Apply waits for room.
	MaxUnsynced int
	// Reserve is how many bytes of the file system are left free for flushes
	// and compactions: Apply returns [store.ErrFull] rather than go below it. 0
	// means [store.DefaultReserve], negative none.
	Reserve int64
	// MaxOpenFiles is about how many files are open at a time, at least 80; 0 means 1,000.
	MaxOpenFiles int
	// SeparateFrom is the size in bytes from which values are kept in files of
	// their own, apart from the tree, so that compactions do not copy them.
	// Reads then take one block more: with values of 1 KiB writes cost a sixth
	// less and reads a fifth more, so the default is larger. Negative: never.
	SeparateFrom int
	// Logger gets what the library says; nil discards it.
	Logger *slog.Logger
	// OnFatal is told why the store cannot go on, from a goroutine that must not
	// continue; it should end the process. Where it is nil or returns, that
	// goroutine panics. A failed write or sync of the log is logged, and told not
	// here but to the callers of Apply.
	OnFatal func(error)
	// OnDamage is told of each file in which something is read back that was not
	// written, again and again, from any goroutine; it must not block. Nil: nobody is.
	OnDamage func(file string)
	// FS replaces the operating system's file system, in tests.
	FS vfs.FS
}

func (o Options) withDefaults() Options {
	if o.CacheBytes <= 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = DefaultMemTableBytes
	}
	if o.MaxUnsynced <= 0 {
		o.MaxUnsynced = DefaultMaxUnsynced
	}
	o.MaxUnsynced = min(o.MaxUnsynced, maxUnsynced)
	if o.SeparateFrom == 0 {
		o.SeparateFrom = DefaultSeparateFrom
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	return o
}

// library translates the options, with their defaults, for the library.
func (o Options) library(e *Engine) *cockroach.Options {
	log := &logger{engine: e, log: o.Logger, onFatal: o.OnFatal, onDamage: o.OnDamage}
	e.log = log
	opts := &cockroach.Options{
		FS:                 &logFS{FS: o.FS, broken: log.logBroken, unmade: log.logUnmade},
		FormatMajorVersion: Format,
		CacheSize:          o.CacheBytes,
		MemTableSize:       o.MemTableBytes,
		MaxOpenFiles:       o.MaxOpenFiles,
		Logger:             log,
		EventListener:      log.events(),

		MemTableStopWritesThreshold: 4,
		// Few and small level-0 tables keep reads quick; writes stop only when
		// compactions are far behind, where waiting is the honest answer.
		L0CompactionThreshold: 2,
		L0StopWritesThreshold: 64,
		FlushSplitBytes:       2 << 20,
		// A dropped range gives its space back soon even where nothing is
		// written after it.
		FlushDelayDeleteRange:      10 * time.Second,
		CompactionConcurrencyRange: func() (int, int) { return 1, max(1, min(4, runtime.NumCPU()/2)) },
	}
	// Every put reads first, often in vain: the filter spares it the disk.
	opts.Levels[0].FilterPolicy = bloom.FilterPolicy(10)
	if o.SeparateFrom > 0 {
		opts.Experimental.ValueSeparationPolicy = separation(o.SeparateFrom)
	}
	return opts
}

// separation keeps large values out of the tree. Files more than a fifth
// garbage and five minutes old are rewritten.
func separation(from int) func() cockroach.ValueSeparationPolicy {
	return func() cockroach.ValueSeparationPolicy {
		return cockroach.ValueSeparationPolicy{
			Enabled: true, MinimumSize: from, MaxBlobReferenceDepth: 10,
			RewriteMinimumAge: 5 * time.Minute, TargetGarbageRatio: 0.2,
		}
	}
}
