// Package ourov1 is the gRPC protocol ouro.v1 as Go has it. All of it but this
// file is made of ouro.proto; docs/reference/grpc.md tells how to use it.
//
// The protocol only grows: what proto/baseline.json has keeps its number, type
// and meaning, to which proto/check holds it.
package ourov1

//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.75.0 generate ../.. --template ../../buf.gen.yaml --output ../..
