package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// The exit codes of every verb. sim and verify have codes of their own from 10
// up, one for each promise, listed in their help.
const (
	exitDone     = 0
	exitFailed   = 1
	exitWrongUse = 2
)

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error // nil: what there was to say has been said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// wrongUse makes the error of a command line that can't be carried out as it
// stands.
func wrongUse(format string, args ...any) error {
	return &exitError{exitWrongUse, fmt.Errorf(format, args...)}
}

// ran marks an error that a verb returned once its command line was understood.
// What cobra returns by itself has no mark: it is about the command line.
type ran struct{ err error }

func (r ran) Error() string { return r.err.Error() }
func (r ran) Unwrap() error { return r.err }

// markRuns makes every verb below cmd mark its errors.
func markRuns(cmd *cobra.Command) {
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(c *cobra.Command, args []string) error {
			if err := inner(c, args); err != nil {
				return ran{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		markRuns(sub)
	}
}

// report tells err on stderr and returns the exit code it stands for.
func report(cmd *cobra.Command, err error, stderr io.Writer) int {
	if err == nil {
		return exitDone
	}
	code := exitWrongUse
	if errors.As(err, new(ran)) {
		code = exitFailed
	}
	var own *exitError
	if errors.As(err, &own) {
		code = own.code
		if own.err == nil {
			return code
		}
	}
	fmt.Fprintf(stderr, "ouro: %v\n", err)
	if code == exitWrongUse {
		fmt.Fprintf(stderr, "Run '%s --help' for how to use it.\n", cmd.CommandPath())
	}
	return code
}
