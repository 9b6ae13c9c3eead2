package cli

import (
	"io"
	"sync"
	"unicode/utf8"

	"x.go/dist"
)

// output is a stream of the process. What strangers have written cannot reach the
// terminal through it, and the first error stays: a command that goes on after it
// has not answered. Several goroutines may write to it: work goes on while progress is
// shown.
type output struct {
	w io.Writer

	mu    sync.Mutex
	err   error
	wrote bool
	tail  []byte // of a write that ended within a character
}

// Write writes p as [dist.Printable] shows it.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	text := append(o.tail, p...)
	whole := len(text) - unfinished(text)
	o.tail = append([]byte(nil), text[whole:]...)
	if err := o.write(string(text[:whole])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// finish writes what a last write has left, and returns the first error.
func (o *output) finish() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.tail) > 0 && o.err == nil {
		_ = o.write(string(o.tail)) // o.err has it
	}
	return o.err
}

// write writes text as it is shown; o.mu is held.
func (o *output) write(text string) error {
	if text != "" {
		o.wrote = true
		_, o.err = io.WriteString(o.w, dist.Printable(text))
	}
	return o.err
}

// unfinished counts the bytes at the end of text that start a character.
func unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if last := text[len(text)-n]; utf8.RuneStart(last) {
			if last >= utf8.RuneSelf && !utf8.FullRune(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// asIs writes bytes to an output without a change: a file on its way into another
// one, or the data of a filter.
type asIs struct{ o *output }

// Write implements [io.Writer].
func (a asIs) Write(p []byte) (n int, err error) {
	a.o.mu.Lock()
	defer a.o.mu.Unlock()
	if a.o.err != nil {
		return 0, a.o.err
	}
	a.o.wrote = a.o.wrote || len(p) > 0
	n, a.o.err = a.o.w.Write(p)
	return n, a.o.err
}

// data returns where a command writes a whole file. A terminal gets it as any other
// text.
func (a *app) data() io.Writer {
	if a.StdoutTTY {
		return a.Stdout
	}
	return asIs{a.stdout}
}
