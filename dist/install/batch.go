package install

import (
	"bytes"
	"context"
	"io"

	"x.go/dist/archive"
)

// batch is the content of small files in one of our [buffers]. One goroutine writes them
// all: to wake one for each file takes as long as writing it.
type batch struct {
	buf   *[]byte // nil in an empty batch
	used  int     // bytes of buf
	files []batched
}

// batched is a file of a batch.
type batched struct {
	file file
	data []byte
}

// mostInBatch bounds the files of a batch, so that tiny ones are not all written by one
// goroutine.
const mostInBatch = 64

// small returns a writer for a file of at most [smallFile] bytes, which joins the batch.
func (p *pass) small(f file) io.WriteCloser {
	if b := &p.batch; len(b.files) == mostInBatch || b.buf != nil && f.size > int64(len(*b.buf)-b.used) {
		p.writeBatch()
	}
	b := &p.batch
	if b.buf == nil {
		b.buf = buffers.Get().(*[]byte)
	}
	end := b.used + int(f.size)
	return &archive.SmallWriter{Data: (*b.buf)[b.used:b.used:end], Done: func(data []byte) error {
		if int64(len(data)) < f.size {
			return errCut
		}
		b.used = end
		b.files = append(b.files, batched{f, data})
		return nil
	}}
}

// writeBatch writes the files of the batch in the background.
func (p *pass) writeBatch() {
	b := p.batch
	p.batch = batch{}
	if b.buf == nil {
		return
	}
	p.group.Go(func() error {
		defer buffers.Put(b.buf)
		for _, f := range b.files {
			if err := context.Cause(p.ctx); err != nil {
				return err
			}
			if err := p.tx.add(p.ctx, f.file, smallReader{bytes.NewReader(f.data)}); err != nil {
				return err
			}
		}
		return nil
	})
}
