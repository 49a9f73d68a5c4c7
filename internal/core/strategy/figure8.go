package strategy

import (
	"fmt"

	"github.com/ourodb/ouro/internal/core/ring"
)

// The set-up of the paper's figure 8: 30 nodes, n = 3. Its second strategy had some
// 1,000 partitions throughout, which follows from where its curve falls.
const (
	Figure8Nodes = 30
	Figure8N     = 3
	figure8Q     = 1000
)

// Figure8Units are the sizes of figure 8: how much each node must know.
func Figure8Units() []int {
	return []int{60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720}
}

// Figure8Paper is what the paper measured with each of its three strategies at a
// size, read off the markers of its figure 8.
func Figure8Paper(units int) [3]float64 {
	return map[int][3]float64{
		60: {.52, .53, .86}, 120: {.61, .61, .87}, 240: {.69, .70, .90}, 480: {.76, .76, .92}, 960: {.82, .82, .94},
		1920: {.87, .85, .96}, 3840: {.91, .88, .97}, 7680: {.93, .87, .98}, 15360: {.95, .85, .98}, 30720: {.96, .84, .99},
	}[units]
}

// Sized returns the paper's three strategies at a size for so many nodes, and
// Ouro's own.
func Sized(units, nodes int) []Strategy {
	return []Strategy{
		Random{T: units / nodes},
		Mapped{Q: figure8Q, T: units / nodes},
		Equal{Q: units, AtRandom: true},
		Equal{Q: units},
	}
}

// Figure8 returns the mean efficiency of a strategy over so many draws.
func Figure8(s Strategy, draws int) (float64, error) {
	sum := 0.0
	for draw := range draws {
		l, err := s.Place(Names(draw, Figure8Nodes))
		if err != nil {
			return 0, err
		}
		sum += l.Efficiency(Figure8N)
	}
	return sum / float64(draws), nil
}

// Names are the nodes of a draw: where their tokens are follows from their names.
func Names(draw, nodes int) (ids []ring.NodeID) {
	for i := range nodes {
		ids = append(ids, ring.NodeID(fmt.Sprintf("draw%d-n%d", draw, i)))
	}
	return ids
}
