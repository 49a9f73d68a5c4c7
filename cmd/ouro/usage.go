package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// explainUse makes root say, in the words of this program, what is wrong with a
// command line: cobra's speak of args, and of functions of Go's.
func explainUse(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	explainArguments(root)
	root.SetFlagErrorFunc(wrongFlag)
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.RunE = showHelp // else its arguments are not looked at
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if found, rest, _ := root.Find(args); len(rest) > 0 && found.HasSubCommands() {
					return wrongArguments(found, rest)
				}
				return nil
			}
		}
	}
}

// explainArguments makes cmd and every verb below it say what arguments it takes
// where it was given others.
func explainArguments(cmd *cobra.Command) {
	if accepts := cmd.Args; accepts != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if accepts(c, args) == nil {
				return nil
			}
			return wrongArguments(c, args)
		}
	}
	for _, sub := range cmd.Commands() {
		explainArguments(sub)
	}
}

// wrongArguments is the error of arguments that a verb does not take.
func wrongArguments(cmd *cobra.Command, args []string) error {
	path := cmd.CommandPath()
	if cmd.HasSubCommands() {
		near := ""
		for wrong := 1; wrong <= 2 && near == ""; wrong++ { // letters
			cmd.SuggestionsMinimumDistance = wrong
			if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
				near = fmt.Sprintf(": did you mean '%s %s'?", path, names[0])
			}
		}
		return fmt.Errorf("unknown command %q for %q%s", args[0], path, near)
	}
	takes, given := argumentsOf(cmd), strings.Trim(fmt.Sprintf("%q", args), "[]")
	if takes == "" {
		takes = "flags only"
	}
	if given == "" {
		given = "nothing"
	}
	return fmt.Errorf("'%s' takes %s, and was given %s", path, takes, given)
}

// argumentsOf returns the arguments in the use line of a verb, without its flags.
func argumentsOf(cmd *cobra.Command) string {
	_, rest, _ := strings.Cut(cmd.Use, " ")
	rest, _, _ = strings.Cut(rest, "--")
	return strings.TrimRight(rest, " [")
}

// wrongFlag says of a flag's value what it should be, where pflag says which
// function of Go's could not read it.
func wrongFlag(_ *cobra.Command, err error) error {
	var none *pflag.NotExistError
	if errors.As(err, &none) && none.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("%w; put -- before arguments that begin with - and are no flags", err)
	}
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return err
	}
	name, value := bad.GetFlag().Name, bad.GetValue()
	switch bad.GetFlag().Value.Type() {
	case "int", "int64":
		return fmt.Errorf("--%s %q: it is a whole number", name, value)
	case "uint64":
		return fmt.Errorf("--%s %q: it is a whole number from 0 up", name, value)
	case "float64":
		return fmt.Errorf("--%s %q: it is a number", name, value)
	case "duration":
		return fmt.Errorf("--%s %q: it is a duration such as 500ms, 2s or 24h", name, value)
	case "bool":
		return fmt.Errorf("--%s %q: it is true or false", name, value)
	case "intSlice":
		return fmt.Errorf("--%s %q: it is whole numbers such as 12,34", name, value)
	}
	return fmt.Errorf("--%s: %w", name, bad.Unwrap())
}

// onlyOneOf is an error where more than one of the flags was given.
func onlyOneOf(cmd *cobra.Command, names ...string) error {
	var given []string
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		return wrongUse("%s: choose one of them", strings.Join(given, " and "))
	}
	return nil
}
