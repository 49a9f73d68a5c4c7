package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// health says whether the node is ready, as /readyz does, to who asks in the
// manner of gRPC. gRPC's own waits for the end of who watches, for ever.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	*Server
}

// watchEvery is how often a watched status is looked at.
const watchEvery = time.Second

func (h *health) status() grpc_health_v1.HealthCheckResponse_ServingStatus {
	select {
	case <-h.closing:
		return grpc_health_v1.HealthCheckResponse_NOT_SERVING
	default:
	}
	if h.cfg.Ready() != nil {
		return grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	return grpc_health_v1.HealthCheckResponse_SERVING
}

func known(service string) bool {
	return service == "" || service == ourov1.StoreService_ServiceDesc.ServiceName
}

// Check implements [grpc_health_v1.HealthServer].
func (h *health) Check(_ context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if !known(req.GetService()) {
		return nil, status.Errorf(codes.NotFound, "there is no service %.100q", req.GetService())
	}
	return &grpc_health_v1.HealthCheckResponse{Status: h.status()}, nil
}

// Watch implements [grpc_health_v1.HealthServer].
func (h *health) Watch(req *grpc_health_v1.HealthCheckRequest, stream grpc_health_v1.Health_WatchServer) error {
	last := grpc_health_v1.HealthCheckResponse_ServingStatus(-1)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		now := grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN
		if known(req.GetService()) {
			now = h.status()
		}
		if now != last {
			if err := stream.Send(&grpc_health_v1.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			last = now
		}
		select {
		case <-tick.C:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		case <-h.closing:
			if last == grpc_health_v1.HealthCheckResponse_SERVING {
				_ = stream.Send(&grpc_health_v1.HealthCheckResponse{Status: h.status()}) // else it is gone
			}
			return status.Error(codes.Unavailable, "the node is stopping")
		}
	}
}
