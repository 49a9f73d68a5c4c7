package transport

import (
	"errors"
	"fmt"
)

// The errors of sending and of broken links.
var (
	ErrClosed   = errors.New("transport: closed")
	ErrDown     = errors.New("transport: no link to the peer")
	ErrFull     = errors.New("transport: too many bytes wait for the peer")
	ErrTooLarge = errors.New("transport: frame over the size limit, max-frame, which is to be the same on all nodes")
	ErrChecksum = errors.New("transport: a frame fails its checksum: it was damaged on its way")
	ErrFraming  = errors.New("transport: not a sequence of frames")
	ErrSilent   = errors.New("transport: the peer does not answer keep-alives")
	ErrReplaced = errors.New("transport: the peer made a newer link")
	ErrExpelled = errors.New("transport: the peer was removed from the cluster")
	ErrFault    = errors.New("transport: cut by an injected fault")
)

// RefusalCode says why a link was refused. It travels as a byte.
type RefusalCode uint8

// The reasons to refuse a link.
const (
	NotOuro          RefusalCode = 1 + iota // whatever is there does not speak this protocol
	WrongVersion                            // no protocol version in common
	ForeignCluster                          // another cluster
	WrongNode                               // another node lives at that address
	OwnAddress                              // the address is the dialler's own
	DuplicateNode                           // another process has the dialler's id
	RefusedByHandler                        // Handler.Check said no
	TooManyLinks                            // a bound on links was reached
	ComeBack                                // the dialler may have forgotten something: it must come back as recovering
	Twin                                    // another process that runs as the dialler is alive
	Removed                                 // the dialler was removed from the cluster, for ever
)

var refusalNames = [...]string{
	NotOuro: "not the node protocol", WrongVersion: "protocol version", ForeignCluster: "foreign cluster",
	WrongNode: "wrong node", OwnAddress: "own address", DuplicateNode: "duplicate node id",
	RefusedByHandler: "refused", TooManyLinks: "too many links",
	ComeBack: "may have forgotten", Twin: "two processes of one node", Removed: "removed from the cluster",
}

// String returns the reason in words.
func (c RefusalCode) String() string {
	if int(c) < len(refusalNames) && refusalNames[c] != "" {
		return refusalNames[c]
	}
	return fmt.Sprintf("reason %d", uint8(c))
}

// RefusedError says that a link was refused, by this side or by the other.
type RefusedError struct {
	Code    RefusalCode
	Message string // what was wrong and what to do
	Epoch   uint64 // with ComeBack: the highest that the peer knows of, as its Handler.Check says
	Linked  bool   // with ComeBack: the peer goes by a link that names the members' disks
	ByPeer  bool
}

func (e *RefusedError) Error() string {
	who := "refused"
	if e.ByPeer {
		who = "refused by the peer"
	}
	return fmt.Sprintf("transport: %s (%s): %s", who, e.Code, e.Message)
}

func refuse(code RefusalCode, format string, args ...any) *RefusedError {
	return &RefusedError{Code: code, Message: fmt.Sprintf(format, args...)}
}
