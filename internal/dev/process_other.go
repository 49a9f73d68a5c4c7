//go:build unix && !linux

package dev

import "syscall"

// processAttr keeps a terminal's Ctrl-C away from the node, so that the
// supervisor ends the nodes in its own order.
func processAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
