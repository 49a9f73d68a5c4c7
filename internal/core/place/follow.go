package place

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/ring"
)

// generation is what a restart adds to the number, so that nothing chosen by those
// whom the operator gave up comes after it.
const generation = 32

// ErrIllegal is wrapped by every error of [Placement.Follow].
var ErrIllegal = errors.New("not a legal link")

// Next returns the number of a link that follows.
func (p *Placement) Next(a Act) uint64 {
	if a == Restarted {
		return (p.number>>generation + 1) << generation
	}
	return p.number + 1
}

// Follow returns the placement after a link, or says why the link can't follow:
// an error that wraps [ErrIllegal]. It shares memory with p and l.
func (p *Placement) Follow(l *Link) (*Placement, error) {
	switch {
	case l.Act > Restarted || l.Number != p.Next(l.Act):
		return nil, fmt.Errorf("%w: number %d after %d", ErrIllegal, l.Number, p.number)
	case l.Before != p.hash:
		return nil, fmt.Errorf("%w: number %d follows another link", ErrIllegal, l.Number)
	case l.Act != Ordinary && len(l.Moves) > 0:
		return nil, fmt.Errorf("%w: number %d removes by force and moves", ErrIllegal, l.Number)
	}
	if err := errors.Join(p.checkMembers(l), p.checkCheckpoint(l)); err != nil {
		return nil, fmt.Errorf("%w: number %d: %w", ErrIllegal, l.Number, err)
	}
	next := &Placement{number: l.Number, origin: p.origin, first: p.first, checkpoint: p.checkpoint, members: l.Members, lists: slices.Clone(p.lists)}
	if l.Checkpoint.Count > 0 {
		next.checkpoint = l.Checkpoint
	}
	next.renumber(p, l.Act)
	for i := range l.Moves {
		if i > 0 && l.Moves[i-1].Partition >= l.Moves[i].Partition {
			return nil, fmt.Errorf("%w: number %d: moves are out of order", ErrIllegal, l.Number)
		}
		if err := next.move(p, &l.Moves[i]); err != nil {
			return nil, fmt.Errorf("%w: number %d: partition %d: %w", ErrIllegal, l.Number, l.Moves[i].Partition, err)
		}
	}
	if l.Act != Ordinary {
		next.filter()
	} else if err := next.checkHeld(p); err != nil {
		return nil, fmt.Errorf("%w: number %d: %w", ErrIllegal, l.Number, err)
	}
	next.hash = sum(AppendLink(p.hash[:], l))
	if !p.Named() {
		next.first = next.hash
	}
	return next, nil
}

// checkMembers looks at the members alone. The second link names the disks of the
// founders and does nothing else.
func (p *Placement) checkMembers(l *Link) error {
	if err := validMembers(l.Members); err != nil {
		return err
	}
	for _, m := range l.Members {
		if m.Disk == 0 {
			return fmt.Errorf("the disk of %s is not named", m.ID)
		}
	}
	if p.Named() || l.Act == Restarted {
		return nil
	}
	same := slices.EqualFunc(p.members, l.Members, func(a, b Member) bool { return a.ID == b.ID })
	if !same || len(l.Moves) > 0 || l.Checkpoint.Count > 0 || l.Act != Ordinary {
		return errors.New("the disks of the founders are to be named first, and alone")
	}
	return nil
}

// checkCheckpoint says whether a checkpoint goes beyond the one before. Whether there is
// a history with that digest is not the chain's to know: who proposes it has seen it
// at all members.
func (p *Placement) checkCheckpoint(l *Link) error {
	switch s := l.Checkpoint; {
	case s == (Checkpoint{}):
		return nil
	case l.Act != Ordinary:
		return errors.New("it removes by force and names a checkpoint")
	case s.Count <= p.checkpoint.Count:
		return fmt.Errorf("a checkpoint of %d changes after one of %d", s.Count, p.checkpoint.Count)
	}
	return nil
}

func validMembers(members []Member) error {
	if len(members) == 0 || len(members) > MaxMembers {
		return fmt.Errorf("%d members", len(members))
	}
	for i, m := range members {
		if err := ring.CheckID(m.ID); err != nil {
			return err
		}
		if i > 0 && members[i-1].ID >= m.ID {
			return errors.New("members are out of order")
		}
	}
	return nil
}

// renumber gives the number of the link to all that hold a member whose disk is
// another now; after a restart to all. That a founder's disk is named is no change.
func (p *Placement) renumber(before *Placement, a Act) {
	var renamed []ring.NodeID
	for _, m := range before.members {
		if now, ok := p.Member(m.ID); ok && m.Disk != 0 && now.Disk != m.Disk {
			renamed = append(renamed, m.ID)
		}
	}
	for i := range p.lists {
		l := &p.lists[i]
		if a == Restarted || slices.ContainsFunc(renamed, l.Holds) {
			l.Number = p.number
		}
	}
}

// move takes a partition into another configuration (RULES R14): from one list to
// both, and from both to the new one, through the gate, or back to the old one.
func (p *Placement) move(before *Placement, m *Move) error {
	if int64(m.Partition) >= int64(len(p.lists)) {
		return errors.New("there is no such partition")
	}
	was := before.Of(m.Partition)
	if err := p.checkMove(was, m); err != nil {
		return err
	}
	p.lists[m.Partition] = Lists{Number: p.number, Old: m.Old, New: m.New}
	return nil
}

func (p *Placement) checkMove(was *Lists, m *Move) error {
	begins, back := m.New != nil, slices.Equal(m.Old, was.Old)
	switch {
	case begins && was.Moving():
		return errors.New("it moves already")
	case begins && (!back || slices.Equal(m.Old, m.New)):
		return errors.New("it is not there, or not on its way anywhere")
	case begins && len(m.Proofs) > 0:
		return errors.New("what begins proves nothing")
	case begins:
		return p.checkList(m.New)
	case !was.Moving():
		return errors.New("it does not move")
	case back && len(m.Proofs) > 0:
		return errors.New("what is aborted proves nothing")
	case back:
		return nil
	case !slices.Equal(m.Old, was.New):
		return errors.New("it is on its way elsewhere")
	}
	for i := range m.Proofs {
		for _, id := range slices.Concat(m.Proofs[i].Sources, m.Proofs[i].Sealed) {
			if _, ok := p.Member(id); !ok {
				return fmt.Errorf("%s is removed and was a source", id)
			}
		}
	}
	return was.Gate(m.Proofs, func(id ring.NodeID) uint64 {
		now, _ := p.Member(id)
		return now.Disk
	})
}

func (p *Placement) checkList(list []ring.NodeID) error {
	if len(list) == 0 || len(list) > MaxN {
		return fmt.Errorf("a list of %d", len(list))
	}
	for i, id := range list {
		if _, ok := p.Member(id); !ok || slices.Contains(list[:i], id) {
			return fmt.Errorf("%s is no member, or is listed twice", id)
		}
	}
	return nil
}

// checkHeld says whether somebody who is no member any more still is in a list.
func (p *Placement) checkHeld(before *Placement) error {
	gone := p.gone(before)
	for i := range p.lists {
		if at := slices.IndexFunc(gone, p.lists[i].Holds); at >= 0 {
			return fmt.Errorf("%s is removed and holds partition %d", gone[at], i)
		}
	}
	return nil
}

// gone returns who was a member before and is none now.
func (p *Placement) gone(before *Placement) (gone []ring.NodeID) {
	for _, m := range before.members {
		if _, ok := p.Member(m.ID); !ok {
			gone = append(gone, m.ID)
		}
	}
	return gone
}

// filter takes those who are no members out of all lists. A move goes on if that
// leaves something to move; comparisons begin again, at the new number.
func (p *Placement) filter() {
	lost := func(id ring.NodeID) bool {
		_, ok := p.Member(id)
		return !ok
	}
	for i := range p.lists {
		l := &p.lists[i]
		if !slices.ContainsFunc(l.Old, lost) && !slices.ContainsFunc(l.New, lost) {
			continue
		}
		old := slices.DeleteFunc(slices.Clone(l.Old), lost)
		fresh := slices.DeleteFunc(slices.Clone(l.New), lost)
		if len(old) == 0 {
			old, fresh = fresh, nil
		}
		if len(old) == 0 { // all that was held is lost: somebody has to begin
			old = []ring.NodeID{p.members[i%len(p.members)].ID}
		}
		if len(fresh) == 0 || slices.Equal(old, fresh) {
			fresh = nil
		}
		*l = Lists{Number: p.number, Old: old, New: fresh}
	}
}

func compareID(m Member, id ring.NodeID) int { return strings.Compare(string(m.ID), string(id)) }
