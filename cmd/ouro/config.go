package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro/internal/config"
)

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show, check and describe the settings of a node",
		Example: `  ouro config show --config /etc/ouro/ouro.toml
  ouro config check /etc/ouro/ouro.toml
  ouro config describe`,
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(newConfigShowCommand(), newConfigCheckCommand(), newConfigDescribeCommand())
	return cmd
}

func newConfigShowCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print every setting in force and where it came from",
		Long: `Print every setting that 'ouro serve' would use with the same flags, environment
and file, and where each came from.`,
		Example: `  ouro config show
  OURO_Q=256 ouro config show --config ouro.toml --listen 127.0.0.1:8000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, origins, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			settings := cfg.Settings(origins)
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), settings)
			}
			t := newTable(cmd.OutOrStdout(), "SETTING", "VALUE", "FROM")
			for _, s := range settings {
				t.row(s.Name, dash(s.Value), s.Origin)
			}
			return t.flush()
		},
	}
	addConfigFlags(cmd, &file)
	return cmd
}

func newConfigCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE",
		Short:   "Check a file of settings without starting anything",
		Example: "  ouro config check /etc/ouro/ouro.toml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, _, err := config.Load(args[0], nil, nil)
			if err == nil {
				err = cfg.Validate()
			}
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), map[string]any{"file": args[0], "ok": true})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is fine\n", args[0])
			return err
		},
	}
}

// described is one setting, for -o json.
type described struct {
	Name    string `json:"name"`
	Env     string `json:"env"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
	Reload  bool   `json:"reload"`
}

func newConfigDescribeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "describe [NAME...]",
		Short:   "Say what settings there are, or what some of them mean",
		Example: "  ouro config describe q members",
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := describedKeys(args)
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), keys)
			}
			t := newTable(cmd.OutOrStdout(), "SETTING", "TYPE", "DEFAULT", "MEANING")
			for _, k := range keys {
				t.row(k.Name, k.Type, dash(k.Default), k.Doc)
			}
			return t.flush()
		},
	}
}

func describedKeys(names []string) ([]described, error) {
	all := map[string]described{}
	var keys []described
	for _, k := range config.Describe() {
		d := described(k)
		all[k.Name] = d
		keys = append(keys, d)
	}
	if len(names) == 0 {
		return keys, nil
	}
	keys = nil
	for _, name := range names {
		d, ok := all[name]
		if !ok {
			return nil, wrongUse("there is no setting %q: 'ouro config describe' lists them", name)
		}
		keys = append(keys, d)
	}
	return keys, nil
}
