package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
)

func newAnswerError(err error) *answerError {
	a := &answerError{Message: err.Error()}
	var e *ouro.Error
	if errors.As(err, &e) {
		*a = answerError{e.Code, e.Message, e.Outcome.String(), e.Retryable}
	}
	return a
}

// finish prints what a request came to and returns the error that the verb
// ends with.
func finish(cmd *cobra.Command, key ouro.Key, res ouro.Result, err error, print func(io.Writer)) error {
	if wantsJSON(cmd) {
		if perr := printJSON(cmd.OutOrStdout(), newAnswer(key, res, err)); perr != nil {
			return perr
		}
		if err != nil {
			return &exitError{code: exitCode(err)} // said in the JSON
		}
		return nil
	}
	printExplain(cmd.ErrOrStderr(), res)
	if err != nil {
		return advise(key, res, err)
	}
	print(cmd.OutOrStdout())
	return nil
}

// exitCode is the exit code of a verb that ends with the error of a store.
func exitCode(err error) int {
	switch ouro.CodeOf(err) {
	case ouro.BadRequest, ouro.BadContext:
		return exitWrongUse
	default:
		return exitFailed
	}
}

// advise adds to an error what a person at a terminal can do about it.
func advise(key ouro.Key, res ouro.Result, err error) error {
	var e *ouro.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case res.Coordinator == "" && e.Code == ouro.QuorumUnavailable && e.Outcome == ouro.NotDone:
		return adviseUnanswered(err, "--addr")
	case e.Code == ouro.NotFound:
		return fmt.Errorf("%s: not found", key)
	case exitCode(err) == exitWrongUse:
		return &exitError{exitWrongUse, err}
	case e.Code == ouro.TooManySiblings:
		return fmt.Errorf("%w\nRead it, merge the versions, and put the result with the context: ouro get %s", err, key)
	case e.Outcome == ouro.Unknown && res.RequestID != "":
		return fmt.Errorf("%w\nThe write may have happened. Repeat the command with --request-id %s: that is safe", err, res.RequestID)
	}
	return err
}

// adviseUnanswered adds to the error of a request that no node has answered how
// to get one that does.
func adviseUnanswered(err error, flag string) error {
	if ouro.CodeOf(err) != ouro.QuorumUnavailable {
		return err
	}
	return fmt.Errorf("%w\nSee that a node runs there ('ouro serve', or 'ouro dev' for a cluster on this machine), or name another address with %s", err, flag)
}
