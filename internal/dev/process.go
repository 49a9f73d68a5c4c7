package dev

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// process is one run of a node.
type process struct {
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	ended  error         // how; valid once done is closed
	paused bool
}

// running says whether there is a process and it has not ended.
func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// spawner starts processes, all from one thread that lives as long as the
// spawner: the kernel ties a process to the thread that started it (see
// processAttr), and Go may end any other thread.
type spawner struct {
	work  chan func()
	leash *os.File // reading end, inherited by every process
	hold  *os.File // writing end: closed when this process is gone
}

func newSpawner() (*spawner, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s := &spawner{work: make(chan func()), leash: r, hold: w}
	go func() {
		runtime.LockOSThread()
		for f := range s.work {
			f()
		}
	}()
	return s, nil
}

// start runs binary with args, on so many processors at a time; what it prints
// is appended to the file at log.
func (s *spawner) start(binary string, args []string, log string, processors int) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = []*os.File{s.leash} // descriptor 3
	cmd.Env = ownEnvironment(os.Environ(), processors)
	cmd.SysProcAttr = processAttr()
	started := make(chan error)
	s.work <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("the node can't be started: %w", err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.ended = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// close ends what is left of the processes' leash.
func (s *spawner) close() {
	s.hold.Close()
	s.leash.Close()
	close(s.work)
}

// ownEnvironment leaves out the settings of other Ouro commands: a node of a
// dev cluster is described by its flags alone. The nodes share the machine's
// processors: where each used all of them they mostly woke each other, which cost
// a third more for a put and half more for a get. GOMAXPROCS of the environment
// wins.
func ownEnvironment(env []string, processors int) []string {
	kept := []string{fmt.Sprintf("GOMAXPROCS=%d", processors)}
	for _, e := range env {
		if !strings.HasPrefix(e, "OURO_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// lastLines returns the end of the file at path, for an error message.
func lastLines(path string, count int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	lines = lines[max(0, len(lines)-count):]
	return string(bytes.Join(lines, []byte("\n")))
}
