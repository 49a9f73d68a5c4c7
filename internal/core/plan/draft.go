package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// MaxStaged bounds the changes of one draft: more are refused.
const MaxStaged = 1000

// Draft is what is staged at one node. It is an immutable value; the zero value
// is empty.
type Draft struct {
	changes []member.Change
	seen    member.History // when the last of them was staged
}

// Version names a history: a commit wants that of the plan.
func Version(h member.History) string {
	digest := h.Digest()
	return fmt.Sprintf("%x", digest[:8])
}

// Len returns how many changes are staged.
func (d Draft) Len() int { return len(d.changes) }

// Changes tells what is staged, in order.
func (d Draft) Changes() []string { return told(d.changes) }

// Newcomers returns the nodes that would become members.
func (d Draft) Newcomers() []member.Member {
	var all []member.Member
	for i := range d.changes {
		if k := d.changes[i].Kind; k == member.Add || k == member.Replace {
			all = append(all, d.changes[i].Member)
		}
	}
	return all
}

func told(changes []member.Change) []string {
	out := make([]string, 0, len(changes))
	for _, c := range changes {
		out = append(out, c.String())
	}
	return out
}

// Stage adds changes, all of them or none. One that would make no sense after the
// history and what is staged is refused, and why. What is staged already and is done
// once in a node's life is staged once: who has looked at the plan of a verb gives the
// same again, to commit it.
func (d Draft) Stage(h member.History, at ring.NodeID, changes []ouro.Change) (Draft, error) {
	if len(d.changes)+len(changes) > MaxStaged {
		return d, fmt.Errorf("%d changes are staged and %d more are too many: commit or abort first, at most %d are staged", len(d.changes), len(changes), MaxStaged)
	}
	now, err := d.still(h, at)
	if err != nil {
		return d, err
	}
	next := Draft{seen: h, changes: d.changes[:len(d.changes):len(d.changes)]}
	for i := range changes {
		c, err := change(&changes[i], now)
		if err == nil {
			err = c.Check()
		}
		if err != nil {
			return d, err
		}
		if !slices.ContainsFunc(next.changes, func(s member.Change) bool { return again(&s, &c) }) {
			next.changes = append(next.changes, c)
		}
	}
	if _, err := next.after(h, at); err != nil {
		if len(d.changes) > 0 {
			err = fmt.Errorf("%w (what is staged here goes before it: 'ouro cluster status' lists that, and 'ouro cluster abort' forgets it)", err)
		}
		return d, err
	}
	return next, nil
}

// again says whether a change is one that is staged, and can't be made twice. A place
// that is not given is that of the node that is replaced.
func again(staged, c *member.Change) bool {
	if staged.Kind != c.Kind || staged.Old != c.Old {
		return false
	}
	is, want := staged.Member, c.Member
	switch c.Kind {
	case member.Replace:
		if want.Zone == "" && want.DC == "" {
			want.Zone, want.DC = is.Zone, is.DC
		}
	case member.Add, member.Remove, member.ForceRemove:
	default:
		return false
	}
	return is == want
}

// after returns what the cluster would be if the draft were committed at a node,
// or why one of its changes makes no sense.
func (d Draft) after(h member.History, at ring.NodeID) (*member.Cluster, error) {
	if h.Count() == 0 {
		return nil, errors.New("this node is of no cluster yet: found one here with init, or join it at a member")
	}
	next, err := h.Issue(0, at, d.changes...)
	if err != nil {
		return nil, err
	}
	c, err := next.Fold()
	if err != nil {
		return nil, err
	}
	for _, s := range c.Skipped {
		if s.Change.Issuer == at && s.Change.Stamp > h.Last() {
			return nil, fmt.Errorf("%v: %s", s.Change, s.Reason)
		}
	}
	return c, nil
}

// Commit returns the changes to be issued, all in one go, if the history is still
// the one that the plan was made against.
func (d Draft) Commit(h member.History, at ring.NodeID, version string) ([]member.Change, error) {
	if len(d.changes) == 0 {
		return nil, errors.New("nothing is staged at this node: stage the changes here, or commit at the node where they are staged")
	}
	if v := Version(h); v != version {
		return nil, fmt.Errorf("the history is at version %s and the plan was made against %s%s: look at the plan again, and commit that", v, version, d.news(h))
	}
	if _, err := d.still(h, at); err != nil {
		return nil, err
	}
	return d.changes, nil
}

// still is after, for what was staged before: the history may have come to contradict
// it since, which is no fault of what is asked for now.
func (d Draft) still(h member.History, at ring.NodeID) (*member.Cluster, error) {
	c, err := d.after(h, at)
	if err != nil && len(d.changes) > 0 {
		err = fmt.Errorf("what is staged here makes no sense any more: %w; forget it with 'ouro cluster abort' and stage it anew", err)
	}
	return c, err
}

// news names the changes that came since the last one was staged.
func (d Draft) news(h member.History) string {
	const most = 5
	var came []string
	for _, c := range h.Changes() {
		if !d.seen.Has(c) && c.Kind != member.Found {
			came = append(came, c.String())
		}
	}
	if folded := h.Count() - d.seen.Count() - len(came); folded > 0 {
		came = append(came, fmt.Sprintf("%d that a checkpoint or another ring has in it", folded))
	}
	if more := len(came) - most; more > 0 {
		came = append(came[:most], fmt.Sprintf("%d more", more))
	}
	if len(came) == 0 {
		return ""
	}
	return "; meanwhile came: " + strings.Join(came, "; ")
}
