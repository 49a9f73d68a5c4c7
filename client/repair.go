package client

import (
	"context"
	"net/http"

	"github.com/ourodb/ouro"
)

var _ ouro.Repairer = (*Admin)(nil)

// RepairPairs implements [ouro.Repairer].
func (a *Admin) RepairPairs(ctx context.Context) (ouro.RepairPairs, error) {
	return fetch[ouro.RepairPairs](ctx, a, "/admin/v1/repair/pairs")
}

// RunRepair implements [ouro.Repairer].
func (a *Admin) RunRepair(ctx context.Context, run ouro.RepairRun) (ouro.RepairRun, error) {
	return send[ouro.RepairRun](ctx, a, http.MethodPost, "/admin/v1/repair/run", run)
}

// PauseRepair implements [ouro.Repairer].
func (a *Admin) PauseRepair(ctx context.Context, pause ouro.RepairPause) (ouro.RepairPause, error) {
	return send[ouro.RepairPause](ctx, a, http.MethodPut, "/admin/v1/repair/pause", pause)
}
