package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"x.go/bootstrap"
	"x.go/bootstrap/config"
	"x.go/bootstrap/toolchain"
	"x.go/dist/archive"
)

// Exit statuses of x.
const (
	exitOK    = 0
	exitFail  = 1
	exitUsage = 2
	exitSkip  = 3
	// exitInterrupted is what a shell gives for a program that SIGINT ends.
	exitInterrupted = 130
)

// errInterrupted is what is left to say after SIGINT or SIGTERM.
var errInterrupted = errors.New("interrupted")

// exitStatuses says what they mean, in all commands.
var exitStatuses = []struct {
	code    int
	meaning string
}{
	{exitOK, "done"},
	{exitFail, "failed: the work, an input of it, or a test; diff, doctor, inspect or opt-outs found something; migrate left something to do by hand"},
	{exitUsage, "wrong usage or configuration; check found errors; diff, doctor, inspect or opt-outs could not read something"},
	{exitSkip, "verify found no failure, but could not check everything here"},
	{exitInterrupted, "interrupted by Ctrl-C or SIGTERM: what was finished stays, nothing has half a file under its name"},
}

// IO is what a command sees of the process.
type IO struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            []string // "KEY=value", as [os.Environ]
	Dir            string   // working directory, absolute
	// StdoutTTY says that somebody looks at Stdout, StderrTTY that progress may
	// redraw itself on Stderr.
	StdoutTTY, StderrTTY bool
}

// OS returns the IO of this process.
func OS() IO {
	dir, err := os.Getwd()
	if err != nil {
		dir = "." // a removed working directory: relative paths will fail by themselves
	}
	return IO{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Environ(), Dir: dir,
		StdoutTTY: term.IsTerminal(int(os.Stdout.Fd())),
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
	a := &app{IO: io, args: args, stdout: &output{w: io.Stdout}, terminal: io.Stderr}
	stderr := &output{w: io.Stderr}
	a.Stdout, a.Stderr = a.stdout, stderr
	root := a.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	code := a.status(ctx, &err)
	if err != nil && a.wantsJSON() && !a.stdout.wrote {
		// The error is the answer. If it cannot be printed, finish says so.
		_ = a.printJSON(errorAnswer{errorLines(err), code})
	}
	if lost := a.stdout.finish(); lost != nil {
		if !errors.Is(err, lost) { // nobody has said so
			err = errors.Join(err, fmt.Errorf("writing to standard output: %w", lost))
		}
		if code == exitOK || code == exitSkip {
			code = exitFail
		}
	}
	for _, line := range errorLines(err) {
		fmt.Fprintf(a.Stderr, "x: %s\n", line)
	}
	_ = stderr.finish() // nowhere to say it
	return code
}

// status turns the error of a command into an exit status, and takes one away that
// only carries a status.
func (a *app) status(ctx context.Context, err *error) int {
	if *err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(*err, context.Canceled) {
		*err = errInterrupted
		return exitInterrupted
	}
	if e, ok := errors.AsType[exitError](*err); ok {
		if e.err == nil {
			*err = nil
		}
		return e.code
	}
	if somebodysMistake(*err) {
		return exitUsage
	}
	return exitFail
}

// somebodysMistake reports whether somebody has to change a file of configuration
// or the command line, and nothing has been touched.
func somebodysMistake(err error) bool {
	_, inFile := errors.AsType[config.Errors](err)
	_, inOption := errors.AsType[*bootstrap.OptionError](err)
	_, inInput := errors.AsType[*toolchain.SourceError](err)
	return inFile || inOption || inInput || errors.Is(err, archive.ErrMemoryLimit)
}

// wantsJSON reports whether --json is given. A mistake in the flags may have kept
// them from being read.
func (a *app) wantsJSON() bool {
	for _, arg := range a.args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return a.flags.json
		}
	}
	return a.flags.json
}

// errorAnswer is what a command that fails prints with --json, if it has printed
// nothing else.
type errorAnswer struct {
	Errors []string `json:"errors"` // as on stderr
	Status int      `json:"status"` // exit status
}

// errorLines splits joined errors, so that each finding starts a line of its own.
func errorLines(err error) []string {
	if err == nil {
		return nil
	}
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
