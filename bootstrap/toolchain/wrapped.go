package toolchain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/manifests"
)

// programs looks for wrappers in place of programs, as Nix and Guix install them: an
// archive would hold the wrapper, which names the program behind it by a path of this
// machine, and not the program.
func (r *inputReader) programs() {
	for i := range r.in.Components {
		c := &r.in.Components[i]
		for e := range c.Image.Clone().Entries() {
			dir := path.Dir(e.Name)
			if dir != "bin" && dir != "libexec" && e.Name != dist.LLDFile(r.tc.Host.String(), "") || slices.Contains(upstreamScripts, path.Base(e.Name)) {
				continue
			}
			behind, kind := readWrapper(e.Path())
			switch kind {
			case wrapperScript, wrapperBinary:
				c.Image = c.Image.Filter(func(f dist.Entry) bool { return f.Name != e.Name })
				c.Broken = append(c.Broken, Broken{e.Name, wrapperError(e, behind, kind)})
			case plainScript:
				r.warn(config.Warning, e.Path(), "give a toolchain with the program itself", "%q is a script, not a program: it is packaged as it is", e.Name)
			}
		}
	}
}

// upstreamScripts are the scripts among the programs of Rust itself.
var upstreamScripts = []string{"rust-gdb", "rust-gdbgui", "rust-lldb", "rust-windbg.cmd"}

// warn adds a finding about a path of the sysroot.
func (r *inputReader) warn(s config.Severity, place, remedy, format string, args ...any) {
	r.in.Findings = append(r.in.Findings, config.Finding{Severity: s, Place: place, Reason: fmt.Sprintf(format, args...), Remedy: remedy})
}

// wrapperKind says what stands in the place of a program.
type wrapperKind int

const (
	noWrapper     wrapperKind = iota // a program, or nothing that could run one
	plainScript                      // a script that does not pass its arguments on
	wrapperScript                    // a script that runs a program
	wrapperBinary                    // a small program that runs another, as makeBinaryWrapper of Nix builds it
)

// wrapperError says what is in the place of a program, and what to do.
func wrapperError(e dist.Entry, behind string, kind wrapperKind) error {
	what := "a script"
	if kind == wrapperBinary {
		what = "a binary wrapper"
	}
	if behind == "" {
		return fmt.Errorf("reading %q: it is %s that runs another program, which an archive would not hold: give the toolchain behind it with --sysroot", e.Path(), what)
	}
	return fmt.Errorf("reading %q: it is %s that runs %q, which an archive would not hold: give the toolchain with that program as its %q, by --sysroot", e.Path(), what, behind, e.Name)
}

// maxWrapper bounds what is read of a file to find out whether it is a wrapper, in
// bytes. Those of makeBinaryWrapper have 20000.
const maxWrapper = 256 << 10

// binaryMark is in every program of makeBinaryWrapper: the command that made it.
var binaryMark = []byte("makeCWrapper ")

// readWrapper looks at the program at a path, and names the program behind it.
func readWrapper(name string) (behind string, kind wrapperKind) {
	f, err := os.Open(name)
	if err != nil {
		return "", noWrapper
	}
	defer f.Close()
	var magic [2]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil {
		return "", noWrapper
	}
	script := string(magic[:]) == "#!"
	if fi, err := f.Stat(); err != nil || !script && fi.Size() > maxWrapper {
		return "", noWrapper
	}
	data, err := io.ReadAll(io.LimitReader(f, maxWrapper))
	switch {
	case err != nil:
		return "", noWrapper
	case script && passesOn.Match(data):
		return programIn(string(data)), wrapperScript
	case script:
		return "", plainScript
	}
	if _, rest, ok := bytes.Cut(data, binaryMark); ok {
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		return programIn(string(line)), wrapperBinary
	}
	return "", noWrapper
}

// passesOn matches the ways in which scripts run another program in their place, or
// pass their arguments on to it: those of shells, Python, Perl and Guile.
var passesOn = regexp.MustCompile(`\bexec[lvpe]*\b|\$@|\$\{@\}|\bsys\.argv\b|@ARGV\b|\(command-line\)|\bsubprocess\b`)

// quoted matches a path in the quotes of a script, and without.
var quoted = regexp.MustCompile(`"([^"\n]*/[^"\n]*)"|'([^'\n]*/[^'\n]*)'|([^\s"'()]*/[^\s"'()]+)`)

// programIn returns the path that a wrapper most likely runs: the last one whose file
// is named like a program of Rust, else the last of a line that runs something.
func programIn(text string) string {
	found, last := "", ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(line, -1) {
			p := m[1] + m[2] + m[3]
			switch base := path.Base(p); {
			case rustProgram.MatchString(base):
				found = p
			case passesOn.MatchString(line):
				last = p
			}
		}
	}
	if found == "" {
		found = last
	}
	return found
}

// rustProgram matches the names that wrapped programs of Rust have:
// ".rustc-wrapped" of Nix, ".rustc-real" of Guix.
var rustProgram = regexp.MustCompile(`^\.?(rustc|rustdoc|cargo|clippy-driver|rustfmt|rust-lld|miri|rust-analyzer)([-._].*)?$`)

// oldNames tells of the programs in gcc-ld that no present rustc looks for.
func (r *inputReader) oldNames() {
	dir := "lib/rustlib/" + r.tc.Host.String() + "/bin/gcc-ld/"
	for _, c := range r.in.Components {
		var old []string
		names := c.Image.Filter(func(e dist.Entry) bool { return strings.HasPrefix(e.Name, dir) })
		for e := range names.Entries() {
			old = append(old, path.Base(e.Name))
		}
		for _, b := range c.Broken {
			if strings.HasPrefix(b.Name, dir) {
				old = append(old, path.Base(b.Name))
			}
		}
		old = slices.DeleteFunc(old, func(name string) bool {
			return slices.Contains(manifests.GCCLDPrograms(), strings.TrimSuffix(name, ".exe"))
		})
		if slices.Sort(old); len(old) > 0 {
			r.warn(config.Note, r.path(dir), "", "it holds %q, the names of 2021: rustc has the C compiler look for ld.lld, so they are not packaged", old)
		}
	}
}

// path returns the path of a name in the sysroot.
func (r *inputReader) path(name string) string { return r.tc.Path(name) }

// isNowhere reports whether a broken file is a link that leads to nothing.
func (b Broken) isNowhere() bool { return errors.Is(b.Err, errNowhere) }
