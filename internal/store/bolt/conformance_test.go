package bolt_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
	"github.com/ourodb/ouro/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]bolt.Options{
		"Defaults":    {Reserve: -1},
		"SmallBuffer": {Reserve: 1, MaxBuffer: 1},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, storetest.Subject{Name: "bolt", Open: func(dir string) (store.Engine, error) {
				return bolt.Open(dir, o)
			}})
		})
	}
}
