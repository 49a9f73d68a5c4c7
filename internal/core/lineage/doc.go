// Package lineage judges whether the data folder that a node shows follows from the
// one that it showed before (RULES R11, R13): a node that lost its disk, or was put
// on an old copy of it, may have forgotten what it acknowledged, and must not be
// taken at its word until it has recovered.
//
// Each node remembers of every other what it showed last, in a [Lineage] on its own
// disk, and judges every new link by it.
package lineage
