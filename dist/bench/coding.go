package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"x.go/dist/measure"
)

// measure runs c once, from in to the file out.
func (b comparison) measure(ctx context.Context, c coder, in, out string) (measure.Figures, error) {
	if _, toStdout := c.args(in, out); !toStdout {
		return b.run(ctx, c, in, out, nil)
	}
	f, err := os.Create(out)
	if err != nil {
		return measure.Figures{}, err
	}
	run, err := b.run(ctx, c, in, out, f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return run, err
}

// run starts c and waits for its end.
func (b comparison) run(ctx context.Context, c coder, in, out string, stdout io.Writer) (measure.Figures, error) {
	if b.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.Timeout, fmt.Errorf("no end after %s", b.Timeout))
		defer cancel()
	}
	args, _ := c.args(in, out)
	cmd := exec.CommandContext(ctx, c.Program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout = b.Dir, b.Env, stdout
	complaint := &measure.Tail{Limit: 2 << 10}
	cmd.Stderr = complaint
	cmd.WaitDelay = 5 * time.Second
	measure.KillGroup(cmd)

	run, err := measure.Run(cmd)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return measure.Figures{}, complaint.Add(err)
	}
	return run, nil
}
