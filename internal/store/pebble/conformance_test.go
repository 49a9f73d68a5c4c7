package pebble_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/pebble"
	"github.com/ourodb/ouro/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]pebble.Options{
		"Defaults":        {Reserve: -1},
		"NoSeparation":    {Reserve: -1, SeparateFrom: -1},
		"Separation":      {Reserve: -1, SeparateFrom: 16},
		"OneInFlight":     {Reserve: -1, MaxUnsynced: 1},
		"SmallestReserve": {Reserve: 1},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, storetest.Subject{Name: "pebble", Open: func(dir string) (store.Engine, error) {
				return pebble.Open(dir, o)
			}})
		})
	}
}
