package xz

import (
	"errors"
	"fmt"
	"io"
)

// Part is a file of one .xz stream, to be joined.
type Part struct {
	io.ReaderAt
	Size int64 // bytes
}

// Join writes one stream of the blocks of several, in their order: its content is that
// of all of them. The blocks are copied as they are. All streams need the same check.
func Join(w io.Writer, parts ...Part) error {
	out := &Writer{out: w}
	for i, p := range parts {
		if err := out.join(p, i == 0); err != nil {
			return fmt.Errorf("joining xz, part %d: %w", i, err)
		}
	}
	return out.finish()
}

// join writes the blocks of a part.
func (w *Writer) join(p Part, first bool) error {
	end, ok := lastFooter(p, p.Size)
	if !ok || end != p.Size {
		return errors.New("no stream footer at the end")
	}
	var footer [streamFooterSize]byte
	if _, err := p.ReadAt(footer[:], end-streamFooterSize); err != nil {
		return err
	}
	indexSize, flags, err := parseFooter(footer)
	if err != nil {
		return err
	}
	check, ok := checkByID(flags[1])
	switch {
	case !ok || flags[0] != 0:
		return fmt.Errorf("got stream flags %x", flags)
	case first:
		w.set.check = check
	case check != w.set.check:
		return fmt.Errorf("got check %s, want %s as the first part has", check, w.set.check)
	}
	s, err := inspectStream(p, end)
	if err != nil {
		return err
	}
	if s.start != 0 {
		return fmt.Errorf("got %d bytes before the stream", s.start)
	}
	at := end - streamFooterSize - indexSize
	blocks, err := loadIndex(p, at, indexSize)
	if err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	w.blocks = append(w.blocks, blocks...)
	n, err := io.Copy(w.out, io.NewSectionReader(p, streamHeaderSize, at-streamHeaderSize))
	w.offset += n
	return err
}
