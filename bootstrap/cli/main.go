package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Exit statuses of x.
const (
	exitOK    = 0
	exitFail  = 1
	exitUsage = 2
	exitSkip  = 3
)

// exitStatuses says what they mean, in all commands.
var exitStatuses = []struct {
	code    int
	meaning string
}{
	{exitOK, "done"},
	{exitFail, "failed: the work, an input of it, or a test; diff found a difference; migrate left something to do by hand"},
	{exitUsage, "wrong usage or configuration; check found errors; diff could not read something"},
	{exitSkip, "verify found no failure, but could not check everything here"},
}

// IO is what a command sees of the process.
type IO struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            []string // "KEY=value", as [os.Environ]
	Dir            string   // working directory, absolute
	// StderrTTY says that progress may redraw itself on Stderr.
	StderrTTY bool
}

// OS returns the IO of this process.
func OS() IO {
	dir, err := os.Getwd()
	if err != nil {
		dir = "." // a removed working directory: relative paths will fail by themselves
	}
	return IO{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Environ(), Dir: dir,
		StderrTTY: term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb",
	}
}

func (s IO) getenv(key string) string {
	v, _ := s.lookupenv(key)
	return v
}

// lookupenv finds the last setting of key, as a started program would.
func (s IO) lookupenv(key string) (string, bool) {
	for i := len(s.Env) - 1; i >= 0; i-- {
		if k, v, _ := strings.Cut(s.Env[i], "="); k == key {
			return v, true
		}
	}
	return "", false
}

// exitError carries an exit status other than exitFail through cobra. A nil
// err means that the command has printed everything there is to say.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usage marks err as a mistake in how x was called or configured.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return exitError{exitUsage, err}
}

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// Main runs the command that args (without the program's name) name, and
// returns the exit status.
func Main(ctx context.Context, args []string, io IO) int {
	a := &app{IO: io, args: args}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(io.Stdin)
	root.SetOut(io.Stdout)
	root.SetErr(io.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	code := exitFail
	if e, ok := errors.AsType[exitError](err); ok {
		code = e.code
		if e.err == nil {
			return code
		}
	}
	for _, line := range errorLines(err) {
		fmt.Fprintf(io.Stderr, "x: %s\n", line)
	}
	return code
}

// errorLines splits joined errors, so that each finding starts a line of its own.
func errorLines(err error) []string {
	// An exitError or a bootstrap.OptionError adds no text to what it wraps.
	if inner := errors.Unwrap(err); inner != nil && inner.Error() == err.Error() {
		return errorLines(inner)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range joined.Unwrap() {
			lines = append(lines, errorLines(e)...)
		}
		return lines
	}
	return []string{err.Error()}
}
