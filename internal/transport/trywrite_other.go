//go:build !unix

package transport

import "net"

// tryWriter returns nil: every write goes through the writer goroutine.
func tryWriter(net.Conn) func([]byte) (int, error) { return nil }
