package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"x.go/dist"
)

// Command signs through a program that has the key, such as gpg with a hardware token,
// or a client of a key management service.
type Command struct {
	// Args are the program and its arguments. It gets the bytes to sign on its standard
	// input, and gives a detached OpenPGP signature, armored or binary, or one of
	// minisign, on its standard output.
	Args []string
	Dir  string
	Env  []string
	// Stderr takes what the program says; nil throws it away.
	Stderr io.Writer
	// Public holds the key that it must sign with.
	Public *Keyring
}

// Keyring implements [Signer].
func (c *Command) Keyring() *Keyring { return c.Public }

// Sign implements [Signer]. What the armor says beside the signature is left out, since
// nobody signed it. The time is the program's.
func (c *Command) Sign(ctx context.Context, m Message) ([]byte, error) {
	if len(c.Args) == 0 {
		return nil, errors.New("the command is empty")
	}
	out := &limited{left: MaxSignature}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, bytes.NewReader(m.Data), out, c.Stderr
	cmd.WaitDelay = 5 * time.Second // for what the program leaves behind
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("running %q: %w", c.Args[0], err)
	}
	if out.more {
		return nil, fmt.Errorf("running %q: it printed more than %s", c.Args[0], dist.FormatBytes(MaxSignature))
	}
	if c.Public.Ext() == MinisignExt {
		return out.data.Bytes(), nil
	}
	packets, err := dearmor(out.data.Bytes())
	if err != nil {
		return nil, fmt.Errorf("reading what %q printed: %w", c.Args[0], err)
	}
	return encode(packets)
}

// limited keeps the first bytes that are written.
type limited struct {
	data bytes.Buffer
	left int
	more bool
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.data.Write(p[:n])
	l.left -= n
	l.more = l.more || n < len(p)
	return len(p), nil
}
