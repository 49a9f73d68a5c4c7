package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newRestartCommand() *cobra.Command {
	var t target
	var without []string
	var sure bool
	cmd := &cobra.Command{
		Use:   "restart --strict-promises-end [--without ID,...]",
		Short: "Go on where the disks of a majority of the members were lost",
		Long: `Go on where so many members have lost their disks, or will never come back, that
no majority is left to name the disks they have now: 'status' then says that the
next link waits, and nodes that recover do not come to an end. The node that is
asked, which must have kept its disk, names the disks that the others have now,
and takes out those given with --without. Nodes that recover then compare with all
others.

What was promised to strict requests ends here: an acknowledged write that only
the lost disks held is gone. Never do this while the members that are missing may
still come back with their disks, nor on two sides of a cut. It is refused where enough
members can be reached with the disks that they had, and where one that is given up
can: stop that first.`,
		Example: "  ouro cluster restart --strict-promises-end\n  ouro cluster restart --strict-promises-end --without n2,n3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !sure {
				return wrongUse("--strict-promises-end is missing: read 'ouro cluster restart --help' first")
			}
			var info ouro.ClusterInfo
			if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
				info, err = a.Restart(ctx, without)
				return err
			}); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), info)
			}
			return printCluster(cmd.OutOrStdout(), info)
		},
	}
	cmd.Flags().BoolVar(&sure, "strict-promises-end", false, "say that you know that they do")
	cmd.Flags().StringSliceVar(&without, "without", nil, "`ids` of members that will never come back")
	t.addFlags(cmd, true)
	return cmd
}
