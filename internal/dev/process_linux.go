package dev

import "syscall"

// processAttr keeps a terminal's Ctrl-C away from the node, so that the
// supervisor ends the nodes in its own order, and has the kernel kill the node
// when the thread that started it is gone.
func processAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
