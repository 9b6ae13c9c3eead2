package archive

import (
	"errors"
	"io"
)

// SmallWriter is a writer for a small file: it keeps what is written, and passes it on
// when closed. Its errors are [io.ErrShortBuffer], and those of Done.
type SmallWriter struct {
	// Data has room for all that is written, as capacity.
	Data []byte
	// Done gets Data with what was written.
	Done func(data []byte) error
}

// Write implements [io.Writer].
func (w *SmallWriter) Write(p []byte) (int, error) {
	if len(p) > cap(w.Data)-len(w.Data) {
		return 0, io.ErrShortBuffer
	}
	w.Data = append(w.Data, p...)
	return len(p), nil
}

// ReadFrom implements [io.ReaderFrom].
func (w *SmallWriter) ReadFrom(r io.Reader) (int64, error) {
	var total int64
	for {
		free := w.Data[len(w.Data):cap(w.Data)]
		n, err := r.Read(free)
		w.Data = w.Data[:len(w.Data)+n]
		total += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return total, nil
		case err == nil && len(free) == 0:
			err = io.ErrShortBuffer
		}
		if err != nil {
			return total, err
		}
	}
}

// Close implements [io.Closer].
func (w *SmallWriter) Close() error { return w.Done(w.Data) }
