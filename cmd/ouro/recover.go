package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro/internal/datadir"
)

func newRecoverCommand() *cobra.Command {
	var data string
	var startOver, forget bool
	cmd := &cobra.Command{
		Use:   "recover [--start-over | --forget-links] --data DIR",
		Short: "Mark a data folder that was restored, before its node starts",
		Long: `Mark a data folder as one that may lack something that was acknowledged: after it
was restored from a backup or a snapshot, or copied from another machine.

The folder keeps its data and gets a new disk id. When its node starts it takes
writes at once, and answers no read from a partition before it has compared that
with enough of the other replicas, which takes a minute at least. Nothing else is
to be done.

A node whose folder was restored without this mark finds out from the others, if
any of them can be reached that saw a later start. Where none can, only the mark
keeps a strict read from missing what the folder lacks.

With --start-over the data is set aside when the node starts next, as it is damaged,
and the node has all of it from the others as if its disk was lost. What only this
node held is in the folder set-aside-1 then, and in no other place.

With --forget-links the data is kept, and what it knows of the cluster is not: for a
node on the side that is given up where a cluster was founded or restarted twice
('ouro cluster status' says "ALARM: … goes by another chain of links"). It goes by the
links of the others then, and what it holds is compared with theirs and merged.`,
		Example: `  ouro recover --data /var/lib/ouro && ouro serve --config /etc/ouro/ouro.toml
  ouro recover --start-over --data /var/lib/ouro`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := onlyOneOf(cmd, "start-over", "forget-links"); err != nil {
				return err
			}
			id, err := datadir.MarkRecovering(data, startOver, forget)
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), map[string]string{"node": id.Node, "cluster": id.Cluster, "disk_id": id.DiskID.String()})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is marked: node %s of cluster %s comes back as recovering, as disk %s\n", data, id.Node, id.Cluster, id.DiskID)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", "ouro-data", "data `folder` of the node")
	cmd.Flags().BoolVar(&startOver, "start-over", false, "set the data aside, and have all of it from the others")
	cmd.Flags().BoolVar(&forget, "forget-links", false, "keep the data, and go by the links of the other members")
	return cmd
}
