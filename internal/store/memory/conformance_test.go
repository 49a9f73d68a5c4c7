package memory_test

import (
	"errors"
	"os"
	"testing"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/storetest"
)

// open starts from a checkpoint where there is one.
func open(dir string) (store.Engine, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return memory.New(memory.Options{}), nil
	}
	return memory.Open(dir, memory.Options{})
}

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Subject{Name: "memory", Open: open, Volatile: true})
}
