// Command haldane compares a new version of a service with the present one
// while both serve real requests, and moves traffic on the strength of that
// comparison. It is one binary: the proxy, the analyzer and the controller
// ("haldane serve"), and the commands by which people look and act.
//
// Each command is one file here. The commands that ask a running server know
// nothing but package api; the wiring of the server is in server*.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run carries out one command line and returns the exit code. It is the whole
// program, so that tests can start it without a process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand(stdin, stdout, stderr)
	root.SetArgs(args)
	return report(root.ExecuteContext(ctx), stderr)
}

// The exit codes that every command has.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

// An exit is an error that wants an exit code of its own.
type exit struct {
	code int
	err  error // what to say; nil if everything is said
}

// Error returns what is to be said.
func (e exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns the cause.
func (e exit) Unwrap() error { return e.err }

// usageError returns err as the fault of whoever wrote the command line or the
// configuration.
func usageError(err error) error { return exit{exitUsage, err} }

// exitCode returns the error of a command that has said everything and ends
// with code.
func exitCode(code int) error { return exit{code: code} }

// report says on w what err has to say, and returns its exit code.
func report(err error, w io.Writer) int {
	if err == nil {
		return exitFine
	}
	e := exit{exitFailed, err}
	if coded, ok := errors.AsType[exit](err); ok {
		e.code, e.err = coded.code, err
		if coded.err == nil {
			return coded.code
		}
	}
	fmt.Fprintf(w, "haldane: %v\n", e.err)
	return e.code
}
