package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// cleanEnv is the whole environment of every program that a run starts: nothing of
// the caller's reaches it. So none of these can change a verdict:
// LD_LIBRARY_PATH and LD_PRELOAD (rustup's proxies set the first, which hides
// missing libraries), RUSTUP_*, CARGO_*, RUSTFLAGS, CARGO_ENCODED_RUSTFLAGS,
// RUSTC, RUSTC_WRAPPER, RUSTC_BOOTSTRAP, RUSTC_LOG, CC, LD, CFLAGS, LDFLAGS,
// COMPILER_PATH, LIBRARY_PATH, GCC_EXEC_PREFIX, MAKEFLAGS, LANG, LC_*, TZ,
// SOURCE_DATE_EPOCH.
//
// prefix is the tree under test, home a directory that programs may write to.
func cleanEnv(prefix, home, searchPath string) []string {
	return []string{
		"PATH=" + filepath.Join(prefix, "bin") + ":" + searchPath,
		"HOME=" + home,
		"CARGO_HOME=" + filepath.Join(home, "cargo"),
		"TMPDIR=" + home,
		"LC_ALL=C",
		"TZ=UTC",
	}
}

const (
	maxOutput      = 1 << 20 // bytes kept of a program's output
	maxLine        = 400     // bytes of a line of it that a finding quotes
	commandTimeout = 10 * time.Minute
)

// command is one program to run.
type command struct {
	path string
	args []string
	dir  string
	env  []string
	// box bounds the program; nil leaves it free.
	box *box
}

// result is what a program did.
type result struct {
	output string // stdout and stderr, in the order written
	err    error  // from starting or the exit status
}

// run runs c and collects its output. It ends with the context, or after
// commandTimeout, which only a hung program takes.
func (c command) run(ctx context.Context) result {
	ctx, cancel := context.WithTimeoutCause(ctx, commandTimeout, errTooLong)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	out := &limitedBuffer{limit: maxOutput}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = 5 * time.Second
	killGroup(cmd)
	err := c.box.run(ctx, cmd)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return result{out.String(), err}
}

// ok reports whether the program exited with status 0.
func (r result) ok() bool { return r.err == nil }

// why describes a failure in short: the status, and the first lines that name an
// error, else the last lines.
func (r result) why() string {
	var lines, marked []string
	for line := range strings.Lines(r.output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "= note:  \"") || len(line) > maxLine {
			continue // among them the command line of the linker
		}
		lines = append(lines, line)
		lower := strings.ToLower(line)
		if strings.Contains(lower, "error") || strings.Contains(lower, "cannot ") || strings.Contains(lower, "panicked") {
			marked = append(marked, line)
		}
	}
	if len(marked) > 0 {
		lines = marked
	} else if len(lines) > 3 {
		lines = lines[len(lines)-3:]
	}
	const most = 3
	text := strings.Join(lines[:min(len(lines), most)], " | ")
	if r.err != nil && text == "" {
		return r.err.Error()
	}
	if r.err != nil {
		return r.err.Error() + ": " + text
	}
	return text
}

// limitedBuffer keeps the first bytes written to it.
type limitedBuffer struct {
	bytes.Buffer
	limit int
}

// Write implements [io.Writer].
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// lookPath finds a program in the directories of searchPath. exec.LookPath would use
// the caller's PATH.
func lookPath(name, searchPath string) (string, error) {
	for _, dir := range filepath.SplitList(searchPath) {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := filepath.Join(dir, name)
		if isExecutable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in %s", name, searchPath)
}

// errTooLong says that a program hung.
var errTooLong = fmt.Errorf("no end after %s", commandTimeout)

// errForeign says that this machine cannot run a program.
var errForeign = errors.New("the program is for another machine")
