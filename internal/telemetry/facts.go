package telemetry

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro/internal/core/fact"
)

// kinds bounds the kinds of fact that are counted.
const kinds = int(fact.ScrubEnded) + 1

// facts counts what the core states. Kinds without a counter are for explain
// only.
type facts struct {
	counters [kinds]prometheus.Counter // one for each fact
	amounts  [kinds]prometheus.Counter // by the fact's N
	siblings prometheus.Histogram
	lag      prometheus.Histogram
	balance  *halfHour
}

func newFacts(r registrar) facts {
	var f facts
	f.counters[fact.Late] = r.counter("ouro_late_answers_total", "Answers of replicas that came after their request was decided.")
	f.counters[fact.Silent] = r.counter("ouro_missing_answers_total", "Replicas that did not answer a request in time, or whose link fell.")
	f.counters[fact.Forwarded] = r.counter("ouro_forwards_total", "Requests passed on to a node that holds the key.")
	f.counters[fact.Minted] = r.counter("ouro_versions_total", "New versions written first on this node.")
	f.counters[fact.Known] = r.counter("ouro_repeated_requests_total", "Writes found to have been stored before under the same request id.")
	f.counters[fact.Differed] = r.counter("ouro_differing_reads_total", "Reads whose replicas had different states.")
	f.counters[fact.Repaired] = r.counter("ouro_read_repairs_total", "Stale replicas that a read sent the merged state to.")
	f.counters[fact.RepairLeft] = r.counter("ouro_read_repairs_left_total", "Stale replicas that a read left to a later one, as reads may not repair more.")
	f.amounts[fact.Pruned] = r.counter("ouro_pruned_entries_total", "Entries pruned from version vectors; each may cost a false sibling.")
	f.amounts[fact.ExceptionDropped] = r.counter("ouro_dropped_exceptions_total", "Exceptions dropped from full records; each may cost a false sibling.")
	f.counters[fact.DotReused] = r.counter("ouro_dot_reused_total", "ALARM: one dot named two versions. A node was rolled back or copied.")
	f.counters[fact.Damaged] = r.counter("ouro_damaged_records_total", "Records that failed their checksum.")
	f.counters[fact.Dropped] = r.counter("ouro_dropped_messages_total", "Messages of peers that were dropped.")
	f.amounts[fact.Hinted] = r.counter("ouro_hints_total", "Records kept here in the stead of primaries, once for each of these.")
	f.counters[fact.HandedOver] = r.counter("ouro_handovers_total", "Records handed over to the primary they were kept for.")
	f.counters[fact.NotHandedOver] = r.counter("ouro_failed_handovers_total", "Deliveries of kept records that failed; those that fail together count once.")
	f.counters[fact.LetGo] = r.counter("ouro_dropped_hints_total", "Kept records dropped for their age or for want of room; two other primaries hold each.")
	f.counters[fact.Reassigned] = r.counter("ouro_reassigned_hints_total", "Kept records whose target is no primary any more, or whose keeper is one now.")
	f.counters[fact.Compared] = r.counter("ouro_recovery_comparisons_total", "Comparisons of a recovering partition with another replica, complete or not.")
	f.counters[fact.Current] = r.counter("ouro_recovered_partitions_total", "Partitions that count for reads again after a recovery.")
	f.counters[fact.Healed] = r.counter("ouro_healed_records_total", "Records that could not be read and were had from other replicas.")
	f.counters[fact.NotHealed] = r.counter("ouro_failed_heals_total", "Attempts to have such a record from others that failed.")
	f.counters[fact.Agreed] = r.counter("ouro_comparisons_total", "Partitions that were compared to the end with another node that holds them.")
	f.counters[fact.NotAgreed] = r.counter("ouro_failed_comparisons_total", "Comparisons that ended early.")
	f.amounts[fact.Agreed] = r.counter("ouro_compared_repairs_total", "Keys that comparisons brought up to date, here or there.")
	f.counters[fact.Arriving] = r.counter("ouro_partitions_arriving_total", "Partitions that this node began to take over from others.")
	f.counters[fact.Arrived] = r.counter("ouro_partitions_arrived_total", "Partitions of which this node has all that it needs before it counts.")
	f.counters[fact.Leaving] = r.counter("ouro_partitions_leaving_total", "Partitions found here that are to be with others only.")
	f.counters[fact.Left] = r.counter("ouro_partitions_left_total", "Partitions that were let go.")
	f.counters[fact.NotTransferred] = r.counter("ouro_failed_transfers_total", "Comparisons for partitions that move that ended early.")
	f.counters[fact.StoodIn] = r.counter("ouro_stand_ins_total", "Nodes asked in the stead of a primary that can't be reached, is silent or failed.")
	f.counters[fact.NoPrimary] = r.counter("ouro_reads_without_primary_total", "Reads that found nothing and rest on no primary's word.")
	f.counters[fact.Suspected] = r.counter("ouro_suspicions_total", "Times that a peer or the own disk left asks of one kind unanswered and was suspected.")
	f.counters[fact.Trusted] = r.counter("ouro_suspicions_ended_total", "Times that one that was suspected answered again.")
	f.counters[fact.Hedged] = r.counter("ouro_hedged_reads_total", "Reads that asked a second replica for its state, as the first took longer than usual.")
	f.amounts[fact.Reaped] = r.counter("ouro_reaped_total", "Tombstones dropped here, as all primaries had voted for them.")
	f.amounts[fact.Folded] = r.counter("ouro_folded_total", "Shares of ended processes in counters that became parts of others here.")
	f.counters[fact.ReapWaits] = r.counter("ouro_reap_waits_total", "Tombstones that a primary could not vote for or drop yet.")
	f.counters[fact.TooOld] = r.counter("ouro_too_old_states_total", "States refused because they were read in an epoch that is over.")
	f.counters[fact.EpochBegun] = r.counter("ouro_reap_epochs_total", "Epochs that this node began.")
	f.counters[fact.RolledBack] = r.counter("ouro_rolled_back_total", "ALARM: another node has seen this one in a later epoch than its disk is in.")
	f.counters[fact.Restarted] = r.counter("ouro_restarted_requests_total", "Requests that began again, as their partition was in other lists by then.")
	f.counters[fact.Outpaced] = r.counter("ouro_outpaced_total", "Times that another node showed that it knows of later lists than this one.")
	f.counters[fact.Parked] = r.counter("ouro_parked_operations_total", "Operations of other nodes that waited for a placement that this node did not know yet.")
	f.counters[fact.DeltaRefused] = r.counter("ouro_refused_deltas_total", "Updates of data types of which a replica had to be sent the whole record.")
	f.amounts[fact.Merged] = r.counter("ouro_merged_changes_total", "Changes of the cluster's history that came from other nodes.")
	f.counters[fact.NotMerged] = r.counter("ouro_unmerged_histories_total", "Nodes whose history cannot be merged with this one's.")
	f.amounts[fact.Scrubbed] = r.counter("ouro_scrubbed_bytes_total", "Bytes that the scrubber has read back.")
	f.amounts[fact.Mended] = r.counter("ouro_scrub_mended_leaves_total", "Leaves of trees that the scrubber added up anew, as they were not the sums of their records.")
	f.counters[fact.NotScrubbed] = r.counter("ouro_scrub_skipped_total", "Stretches of what is stored that the engine could not read back.")
	f.counters[fact.ScrubEnded] = r.counter("ouro_scrub_rounds_total", "Times that everything was read back.")
	f.siblings = r.histogram("ouro_get_siblings", "Versions that a get showed.", []float64{0, 1, 2, 3, 5, 10, 25, 50, 100})
	f.lag = r.histogram("ouro_replication_lag_seconds", "From a write's acknowledgement to the last of its N replicas having it.", latencies)
	f.balance = newHalfHour(r)
	return f
}

// observe counts a batch: one addition for each kind in it.
func (f *facts) observe(batch []fact.Fact) {
	var count, amount [kinds]int
	for i := range batch {
		b := &batch[i]
		if int(b.Kind) >= kinds {
			continue
		}
		count[b.Kind]++
		amount[b.Kind] += b.N
		switch {
		case b.Kind == fact.Settled:
			f.lag.Observe(b.Lasted.Seconds())
		case b.Kind == fact.Decided && b.Note == "get":
			f.siblings.Observe(float64(b.N))
		}
	}
	if n := count[fact.Decided]; n > 0 {
		f.balance.add(n)
	}
	for k := range kinds {
		if c := f.counters[k]; c != nil && count[k] > 0 {
			c.Add(float64(count[k]))
		}
		if c := f.amounts[k]; c != nil && amount[k] > 0 {
			c.Add(float64(amount[k]))
		}
	}
}

// logFacts logs what an operator has to know, and at level debug everything.
func (m *Metrics) logFacts(batch []fact.Fact) {
	ctx := context.Background()
	all := m.log.Enabled(ctx, slog.LevelDebug)
	for i := range batch {
		f := &batch[i]
		if level := levelOf(f.Kind); all || level > slog.LevelDebug {
			m.log.LogAttrs(ctx, level, f.Kind.String(),
				slog.Uint64("ticket", f.Ticket), slog.String("peer", f.Peer), slog.Int("n", f.N),
				slog.Duration("lasted", f.Lasted), slog.String("note", f.Note))
		}
	}
}

// levelOf says how much a fact matters to who runs the node.
func levelOf(k fact.Kind) slog.Level {
	switch k {
	case fact.DotReused, fact.RolledBack, fact.Diverged:
		return slog.LevelError
	case fact.Damaged, fact.Mended, fact.NotScrubbed, fact.ExceptionDropped, fact.Recovering, fact.Suspected, fact.NotMerged:
		return slog.LevelWarn
	case fact.Current, fact.Healed, fact.Trusted, fact.Merged, fact.Linked, fact.ScrubEnded:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}
