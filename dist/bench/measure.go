package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// measure runs c once, from in to the file out.
func (b comparison) measure(ctx context.Context, c coder, in, out string) (Figures, error) {
	if _, toStdout := c.args(in, out); !toStdout {
		return b.run(ctx, c, in, out, nil)
	}
	f, err := os.Create(out)
	if err != nil {
		return Figures{}, err
	}
	run, err := b.run(ctx, c, in, out, f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return run, err
}

// run starts c and waits for its end.
func (b comparison) run(ctx context.Context, c coder, in, out string, stdout io.Writer) (Figures, error) {
	if b.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.Timeout, fmt.Errorf("no end after %s", b.Timeout))
		defer cancel()
	}
	args, _ := c.args(in, out)
	cmd := exec.CommandContext(ctx, c.Program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout = b.Dir, b.Env, stdout
	complaint := &tail{limit: 2 << 10}
	cmd.Stderr = complaint
	cmd.WaitDelay = 5 * time.Second
	killGroup(cmd)

	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return Figures{}, complaint.add(err)
	}
	state := cmd.ProcessState
	peak, floor := peakMemory(state), ownMemory()+countSlack
	return Figures{
		Wall: wall.Seconds(), CPU: (state.UserTime() + state.SystemTime()).Seconds(),
		Peak: Memory{Bytes: peak, Bound: peak > 0 && peak <= floor},
	}, nil
}

// countSlack is how far the kernel's counts of memory may lag behind, in bytes: it
// collects them from processors in batches.
const countSlack = 1 << 20

// tail keeps the last bytes written to it: what a program complained of before
// it ended.
type tail struct {
	data  []byte
	limit int
	cut   bool
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if more := len(t.data) - t.limit; more > 0 {
		t.data, t.cut = append(t.data[:0], t.data[more:]...), true
	}
	return len(p), nil
}

// add puts the text behind err, in one line.
func (t *tail) add(err error) error {
	var lines []string
	for line := range strings.Lines(string(t.data)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return err
	}
	text := strings.Join(lines, " | ")
	if t.cut {
		text = "… " + text
	}
	return fmt.Errorf("%w: %s", err, text)
}
