package main

import (
	"github.com/spf13/cobra"
)

const rootLong = `Ouro is a leaderless, always-writable, replicated key-value store: the system of
the 2007 paper "Dynamo: Amazon's Highly Available Key-value Store".

Exit codes: 0 done, 1 failed, 2 wrong use of the command line. serve, verify and sim
have codes of their own besides; see their --help.`

// newRootCommand returns the whole command tree.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ouro",
		Short: "A leaderless, always-writable, replicated key-value store",
		Long:  rootLong,
		Example: `  ouro dev                              a cluster of three nodes on this machine
  ouro put greetings/hello 'Hello'      store a value
  ouro get greetings/hello              read it back, from any node`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          showHelp,
	}
	root.SetVersionTemplate("ouro {{.Version}}\n")
	root.PersistentFlags().StringP("output", "o", formatTable, "`format` of what is printed: table or json")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return checkFormat(cmd) }
	root.AddGroup(
		&cobra.Group{ID: groupNodes, Title: "Nodes and clusters:"},
		&cobra.Group{ID: groupData, Title: "Data:"},
		&cobra.Group{ID: groupLook, Title: "Looking inside:"},
		&cobra.Group{ID: groupTest, Title: "Load and proof:"},
	)
	addVerbs(root)
	markRuns(root)
	return root
}

// The groups of verbs in the help.
const (
	groupNodes = "nodes"
	groupData  = "data"
	groupLook  = "look"
	groupTest  = "test"
)

func addVerbs(root *cobra.Command) {
	for _, v := range []struct {
		group string
		cmd   *cobra.Command
	}{
		{groupNodes, newServeCommand()},
		{groupNodes, newDevCommand()},
		{groupNodes, newConfigCommand()},
		{groupNodes, newClusterCommand()},
		{groupNodes, newBucketCommand()},
		{groupNodes, newRecoverCommand()},
		{groupData, newPutCommand()},
		{groupData, newGetCommand()},
		{groupData, newDelCommand()},
		{groupData, newUpdateCommand()},
		{groupData, newMgetCommand()},
		{groupData, newMputCommand()},
		{groupData, newImportCommand()},
		{groupData, newExportCommand()},
		{groupData, newArchiveCommand()},
		{groupLook, newStatusCommand()},
		{groupLook, newRingCommand()},
		{groupLook, newHintsCommand()},
		{groupLook, newRepairCommand()},
		{groupLook, newScrubCommand()},
		{groupLook, newVerifyCommand()},
		{groupLook, newStalenessCommand()},
		{groupLook, newKeyCommand()},
		{groupLook, newKeysCommand()},
		{groupTest, newBenchCommand()},
		{groupTest, newSimCommand()},
		{groupTest, newPaperCommand()},
		{"", newVersionCommand()},
	} {
		v.cmd.GroupID = v.group
		root.AddCommand(v.cmd)
	}
}

// showHelp is what a command that only holds others does.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
