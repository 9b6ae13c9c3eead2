package linkbench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"x.go/dist/linkage"
	"x.go/dist/measure"
)

// BuildError says that the command failed, and not because of a link.
type BuildError struct {
	Command string // as one would type it
	Linker  string // whose turn it was
	Output  string // the end of what the command printed
	Err     error
}

// Error says that the command failed, without its output.
func (e *BuildError) Error() string {
	return fmt.Sprintf("running %q with %s: %v", e.Command, e.Linker, e.Err)
}

// Unwrap returns why.
func (e *BuildError) Unwrap() error { return e.Err }

// linkError is about one linker: the others go on.
type linkError struct{ err error }

// Error implements [error].
func (e *linkError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *linkError) Unwrap() error { return e.err }

func parseLog(data []byte) ([]record, error) {
	var out []record
	for line := range bytes.Lines(data) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("reading what was linked: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}

// judge returns the links among records of a build that printed output. The error is a
// [*linkError] if one of them failed or if f did not make its result.
func (f found) judge(records []record, output string) ([]record, error) {
	complaint := &measure.Tail{Limit: 2 << 10} // for a line in a table of errors
	fmt.Fprint(complaint, output)
	var links []record
	for _, r := range records {
		if r.Link == nil {
			continue
		}
		if r.Link.Status != 0 {
			return nil, &linkError{complaint.Add(fmt.Errorf("linking %q: exit status %d", r.Crate, r.Link.Status))}
		}
		if err := f.prove(*r.Link); err != nil {
			return nil, &linkError{fmt.Errorf("linking %q: %w", r.Crate, err)}
		}
		links = append(links, r)
	}
	return links, nil
}

// prove holds a result against the linker that it should be of.
func (f found) prove(l link) error {
	switch {
	case l.Linker == linkage.Unknown && l.Doubt != "":
		return fmt.Errorf("its result does not say which linker made it: %s", l.Doubt)
	case l.Linker != f.kind:
		return fmt.Errorf("its result was made by %s, want %s", strings.TrimSpace(l.Linker.String()+" "+l.Version), f.kind)
	}
	return nil
}

// noLinks says why a command may have linked nothing.
func (w *work) noLinks(records []record) error {
	at := slices.IndexFunc(records, func(r record) bool { return r.Links })
	switch {
	case at >= 0:
		return fmt.Errorf("running %q: rustc made %q without the linker that it was told: the program that it starts as linker does not take -B and -fuse-ld as C compilers do", w.commandText(), records[at].Crate)
	case len(records) > 0:
		return fmt.Errorf("running %q: it linked nothing: a library is not linked; build a program, a test or a cdylib", w.commandText())
	}
	return fmt.Errorf("running %q: it did not run rustc through RUSTC_WRAPPER or PATH, or had nothing to build", w.commandText())
}

func (w *work) commandText() string { return strings.Join(w.Command, " ") }
