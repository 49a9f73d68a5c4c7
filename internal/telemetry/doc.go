// Package telemetry turns what the core states and what the host counts into
// Prometheus metrics and log lines. docs/reference/metrics.md lists the metrics;
// a test holds the list to the code.
//
// The hot path pays for atomic additions only: label sets are resolved once, and
// facts come in batches, one for each turn of a shard's loop. Neither metrics nor
// logs ever hold a value.
package telemetry
