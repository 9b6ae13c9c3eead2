package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"x.go/manifests"
)

// checked reads a body, and ends with an error in place of [io.EOF] if it has another
// size or digest than it should.
type checked struct {
	ctx  context.Context
	r    io.Reader
	want Body
	hash hash.Hash
	size int64
}

func newChecked(ctx context.Context, r io.Reader, want Body) *checked {
	return &checked{ctx: ctx, r: r, want: want, hash: sha256.New()}
}

// Read implements [io.Reader].
func (c *checked) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.hash.Write(p[:n])
	if c.size += int64(n); c.size > c.want.Size {
		return 0, fmt.Errorf("got more than %d bytes", c.want.Size)
	}
	if errors.Is(err, io.EOF) {
		return n, c.verdict()
	}
	return n, err
}

// verdict returns io.EOF if the body is what it should be.
func (c *checked) verdict() error {
	if c.size != c.want.Size {
		return fmt.Errorf("got %d bytes, want %d", c.size, c.want.Size)
	}
	if got := manifests.Hash(c.hash.Sum(nil)); got != c.want.Hash {
		return fmt.Errorf("got sha256 %s, want %s", got, c.want.Hash)
	}
	return io.EOF
}
