package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/frontend/admin"
)

// Exit codes of the process of a node, besides those of every verb.
const (
	// ExitDisk is that of a node whose disk can't be trusted any more.
	ExitDisk = 3
	// ExitTwin is that of a node of which another process is alive.
	ExitTwin = 4
)

// Options are what a node has of the program that runs it, and not of its settings.
type Options struct {
	Build admin.Build // what the program was built from
	// Playground is the folder of the dev cluster that the node is of: faults may be
	// injected into its links, and its operators are those of the cluster. "": of none.
	Playground string
	Log        io.Writer
}

// TwinError ends a node of which another process is alive, as a peer says.
type TwinError struct{ Peer, Message string }

func (e *TwinError) Error() string { return fmt.Sprintf("node %s says: %s", e.Peer, e.Message) }

// drainPatience is how long requests under way may take after SIGTERM.
const drainPatience = 10 * time.Second

// Run runs a node until a signal ends it: SIGTERM or an interrupt lets it finish what
// is under way, and a second one ends it at once, which is an error. A node that has to
// begin again does so within Run. It ends with a [TwinError] where another process of the
// node is alive; where the disk fails a sync the process ends with [ExitDisk], and Run
// does not return.
func Run(cfg *config.Config, o Options) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, unix.SIGTERM)
	defer signal.Stop(signals)
	for {
		n, err := startNode(cfg, o)
		if err != nil {
			return err
		}
		select {
		case sig := <-signals:
			return drain(n, sig, signals)
		case err := <-n.failed:
			stopped := n.stop(0)
			if !errors.Is(err, errAgain) {
				return err
			}
			if stopped != nil {
				return stopped
			}
		}
	}
}

// drain ends a node that a signal told to stop, at once where a second one comes.
func drain(n *node, sig os.Signal, signals <-chan os.Signal) error {
	n.log.Info("stopping: finishing what is under way", "signal", sig.String(), "patience", drainPatience)
	stopped := make(chan error, 1)
	go func() { stopped <- n.stop(drainPatience) }()
	select {
	case err := <-stopped:
		n.log.Info("stopped")
		return err
	case sig := <-signals:
		return fmt.Errorf("stopped at once by a second signal (%v): clients were left without an answer, nothing acknowledged is lost", sig)
	}
}

// exposedWarning tells what is open to other machines without encryption, or "".
func exposedWarning(cfg *config.Config) string {
	if open := cfg.Exposed(); len(open) > 0 {
		return "links are not encrypted yet, and other machines can reach " + strings.Join(open, ", ")
	}
	return ""
}

// elsewhereWarning tells where the members list has other nodes dial an address at
// which this one does not listen, as far as can be seen, or "". It may be an address
// that is translated, or one of the past.
func elsewhereWarning(cfg *config.Config) string {
	told := cfg.PeerAddr()
	if cfg.Advertise != "" || !config.Dialable(cfg.PeerListen) || !elsewhere(told, cfg.PeerListen) {
		return ""
	}
	return fmt.Sprintf("other nodes are told to reach this one at %s, as its members list says, and it listens at %s: say with --advertise which of the two is right", told, cfg.PeerListen)
}

// elsewhere says whether two addresses have other ports, or hosts that are other
// numbers: a name may stand for any.
func elsewhere(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	ipA, ipB := net.ParseIP(hostA), net.ParseIP(hostB)
	return errA == nil && errB == nil && (portA != portB || ipA != nil && ipB != nil && !ipA.Equal(ipB))
}
