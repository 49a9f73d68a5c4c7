package demo

import (
	"slices"

	"github.com/ourodb/ouro/internal/paper"
)

// measured is the command of an experiment of 'ouro paper', or none where there is
// no such experiment.
func measured(name string) []string {
	if !slices.ContainsFunc(paper.Experiments(), func(e paper.Experiment) bool { return e.Name == name }) {
		return nil
	}
	return []string{"paper", "--only", name}
}

// Demos lists the demonstrations by their numbers.
func Demos() []Demo {
	return []Demo{
		{N: 1, Title: "Any key through any node: HTTP, the command line, the page", Items: "4.1, 4.5.1, 4.8.1b", Live: anyNode},
		{N: 2, Title: "Figure 3, clock by clock", Items: "4.4.9", Play: figure3},
		{N: 3, Title: "A cart through a partition", Items: "4.4.2-4.4.5, 6.0.1", Play: cart},
		{N: 4, Title: "Sessions: the last write wins", Items: "6.0.2, 6.4.1", Play: sessions},
		{N: 5, Title: "A catalogue: r=1, w=n", Items: "6.0.3", Play: catalogue},
		{N: 6, Title: "Hinted handoff", Items: "4.6.1-4.6.4", Play: handoff},
		{N: 7, Title: "With w=1 down to the last node", Items: "4.6.5", Play: lastNode},
		{N: 8, Title: "A zone is lost", Items: "4.3.5, 4.6.6, 2.3.1", Play: zoneLoss},
		{N: 9, Title: "A lost disk, and no hints", Items: "4.7, 9.2", Play: lostDisk},
		{N: 10, Title: "Read repair", Items: "5.7", Play: readRepair},
		{N: 11, Title: "Two rings that were formed apart", Items: "4.8.2", Play: formedApart},
		{N: 12, Title: "A node joins and one leaves", Items: "4.9, 6.2.5, 6.6.4", Play: joinAndLeave},
		{N: 13, Title: "Weights, and load when a node fails", Items: "2.3.7, 4.2.4", Play: weights},
		{N: 14, Title: "Strategies 1, 2 and 3", Items: "7.8, 6.2.6", Command: measured("figure8"), Alone: true},
		{N: 15, Title: "The agreement at 500 requests a second, and a day's load", Items: "2.2.1", Command: []string{"paper", "--only", "sla,figure4,figure6"}},
		{N: 16, Title: "Buffered and direct writes", Items: "6.1.2, 6.1.3", Command: measured("figure5")},
		{N: 17, Title: "Requests by the client and by the server: table 2", Items: "6.4", Command: measured("table2")},
		{N: 18, Title: "Background work that yields: slices and p99", Items: "6.5", Play: yields},
		{N: 19, Title: "Versions that reads show: people, robots, failures", Items: "6.3", Command: measured("siblings")},
		{N: 20, Title: "A checker over random faults, while nodes join and leave", Items: "6.6.1, 1.1, 9.7", Command: []string{"sim", "--ring", "also", "--seeds", "1..20"}, Alone: true},
		{N: 21, Title: "Archive and restore", Items: "6.2.5", Play: archiveAndRestore},
		{N: 22, Title: "Two hundred nodes: gossip, rounds, bytes", Items: "2.1.5, 6.6.3", Play: manyNodes(200, 1024), Long: true},
	}
}
