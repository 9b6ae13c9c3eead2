package linkbench

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/linkage"
	"x.go/dist/measure"
)

// link is one link, as the helper saw it.
type link struct {
	Out     string          `json:"out"`
	Figures measure.Figures `json:"figures"`
	Status  int             `json:"status"`
	// Linker and Version are what the result says; Doubt is why it says nothing.
	Linker  linkage.Linker `json:"linker"`
	Version string         `json:"version,omitempty"`
	Doubt   string         `json:"doubt,omitempty"`
}

// beLinker stands where the C compiler looks for GNU ld.
func beLinker(j job) error {
	c := parseCrate(os.Getenv(crateVariable))
	args := os.Args[1:]
	l := link{Out: output(args)}
	if c.name == "" {
		c.name = filepath.Base(l.Out)
	}
	cmd := exec.Command(j.program(), slices.Concat(args, j.Args)...)
	cmd.Args[0] = j.Argv0
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, jobVariable+"=") || strings.HasPrefix(v, crateVariable+"=")
	})
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	var err error
	l.Figures, err = measure.RunAll(cmd)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if l.Status = exit.ExitCode(); l.Status <= 0 {
			fmt.Fprintf(os.Stderr, "x: running %q: %v\n", cmd.Path, err)
			l.Status = 1
		}
	} else if err != nil {
		return fmt.Errorf("running %q: %w", cmd.Path, err)
	}
	if l.Status == 0 {
		l.look()
	}
	if err := j.add(record{Crate: c.name, Helper: c.helper, Link: &l}); err != nil {
		return err
	}
	if l.Status != 0 {
		return exitStatus(l.Status)
	}
	return nil
}

// program is the linker to start.
func (j job) program() string {
	if j.Driver == "" {
		return j.Program
	}
	for _, dir := range filepath.SplitList(os.Getenv("COMPILER_PATH")) {
		path := filepath.Join(dir, j.Driver)
		if filepath.Clean(dir) == j.Tools {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return j.Program
}

// look reads the result.
func (l *link) look() {
	if info, err := os.Stat(l.Out); err == nil {
		l.Figures.Bytes = info.Size()
	}
	info, err := linkage.ReadFile(l.Out)
	l.Linker, l.Version, l.Doubt = info.Linker, info.LinkerVersion, info.Doubt
	if l.Linker == linkage.Unknown {
		l.Linker = info.Layout
	}
	if err != nil {
		l.Doubt = err.Error()
	}
}

// maxResponse bounds an @file of arguments, in bytes.
const maxResponse = 64 << 20

// output is the file that a linker's arguments name with -o, absolute. The C compiler
// moves them to an @file where they are many.
func output(args []string) string {
	out := "a.out"
	var read func(args []string, depth int)
	read = func(args []string, depth int) {
		for i, arg := range args {
			file, isFile := strings.CutPrefix(arg, "@")
			switch {
			case arg == "-o" && i+1 < len(args):
				out = args[i+1]
			case isFile && depth > 0:
				if data, err := dist.ReadFile(file, maxResponse); err == nil {
					read(responseWords(string(data)), depth-1)
				}
			}
		}
	}
	read(args, 2)
	if path, err := filepath.Abs(out); err == nil {
		return path
	}
	return out
}

// responseWords splits an @file as GNU programs do: a backslash takes the next character
// as it is, within quotes, too.
func responseWords(text string) []string {
	var words []string
	var word strings.Builder
	inside, escaped := false, false
	quote := rune(0)
	for _, c := range text {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\':
			inside, escaped = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			inside, quote = true, c
		case quote == 0 && strings.ContainsRune(" \t\r\n\v\f", c):
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			inside = true
			word.WriteRune(c)
		}
	}
	if inside {
		words = append(words, word.String())
	}
	return words
}
