package marks

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/inspect"
	"x.go/dist/linkage"
)

// driver is the compiler's own files.
type driver struct {
	program string   // "bin/rustc"
	library string   // "lib/librustc_driver-1.so"; "" if there is none
	needed  []string // of the library, or of the program if there is none
}

// driverPatterns are the places of the compiler's library.
var driverPatterns = []string{
	"lib/librustc_driver-*", "lib64/librustc_driver-*", "lib32/librustc_driver-*", "lib/*/librustc_driver-*", "lib64/*/librustc_driver-*", "libexec/*/librustc_driver-*", "bin/rustc_driver-*.dll",
}

// findDriver finds the compiler's library: the one that the program needs, or else the
// only one for its machine.
func findDriver(root, program, libdir string, p Platform) (driver, error) {
	d := driver{program: program, needed: p.needed}
	type found struct {
		name     string
		platform Platform
	}
	var all, fit []found
	for _, pattern := range append(driverPatterns[:len(driverPatterns):len(driverPatterns)], escaped(libdir)+"/librustc_driver-*") {
		names, err := filepath.Glob(filepath.Join(escaped(root), filepath.FromSlash(pattern)))
		if err != nil {
			continue
		}
		for _, name := range names {
			if ext := path.Ext(name); ext != ".so" && ext != ".dylib" && ext != ".dll" {
				continue
			}
			q, err := ReadPlatform(name)
			if err != nil {
				return d, err
			}
			rel, err := filepath.Rel(root, name)
			if err != nil {
				return d, err
			}
			f := found{filepath.ToSlash(rel), q}
			if !slices.ContainsFunc(all, func(o found) bool { return o.name == f.name }) {
				all = append(all, f)
			}
		}
	}
	wanted := func(name string) bool { return slices.Contains(p.needed, path.Base(name)) }
	needs := slices.ContainsFunc(p.needed, func(n string) bool { return strings.HasPrefix(n, "librustc_driver-") })
	for _, f := range all {
		if f.platform.sameMachine(p) && (!needs || wanted(f.name)) && !slices.ContainsFunc(fit, func(o found) bool { return sameFile(root, o.name, f.name) }) {
			fit = append(fit, f)
		}
	}
	switch {
	case len(fit) == 1:
		d.library, d.needed = fit[0].name, fit[0].platform.needed
	case len(fit) > 1:
		return d, fmt.Errorf("finding the compiler's library: %q and %q both are for such a machine: remove the one of another release", fit[0].name, fit[1].name)
	case len(all) > 0 && needs:
		for _, f := range all {
			if wanted(f.name) {
				return d, fmt.Errorf("reading the compiler: %q is a program for %s, but its library %q is for %s: the tree holds parts of two toolchains; give one that is whole", program, p, f.name, f.platform)
			}
		}
		return d, fmt.Errorf("reading the compiler: %q needs %q, and the tree has %q: it holds parts of two toolchains; give one that is whole", program, driverOf(p.needed), all[0].name)
	case len(all) > 0:
		return d, fmt.Errorf("reading the compiler: %q is a program for %s, but the library %q is for %s: the tree holds parts of two toolchains; give one that is whole", program, p, all[0].name, all[0].platform)
	}
	return d, nil
}

func driverOf(needed []string) string {
	i := slices.IndexFunc(needed, func(n string) bool { return strings.HasPrefix(n, "librustc_driver-") })
	return needed[i]
}

func sameFile(root, a, b string) bool {
	fa, errA := os.Stat(filepath.Join(root, a))
	fb, errB := os.Stat(filepath.Join(root, b))
	return errA == nil && errB == nil && os.SameFile(fa, fb)
}

// escaped quotes what filepath.Glob would expand.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// section returns the beginning of a section of an ELF file, at most limit bytes.
func section(f io.ReaderAt, name string, limit uint64) []byte {
	e, err := linkage.Open(f)
	if err != nil {
		return nil
	}
	for _, s := range e.Sections {
		if s.Name == name && s.Offset < 1<<62 {
			data, _ := io.ReadAll(io.NewSectionReader(f, int64(s.Offset), int64(min(s.Size, limit))))
			return data
		}
	}
	return nil
}

// text is what is looked at of a file: of an ELF file what is loaded, which leaves out
// marks of the compiler that built it.
func text(f *os.File) ([]io.Reader, error) {
	e, err := linkage.Open(f)
	if err != nil {
		return []io.Reader{f}, nil
	}
	var out []io.Reader
	for _, s := range e.Segments {
		if s.Type == 1 && s.Offset < 1<<62 && s.Filesz < 1<<40 { // PT_LOAD
			out = append(out, io.NewSectionReader(f, int64(s.Offset), int64(s.Filesz)))
		}
	}
	if len(out) == 0 {
		out = []io.Reader{f}
	}
	return out, nil
}

// scan calls do with pieces of what a file holds. Each begins with the last overlap bytes
// of the one before. It ends when do returns false.
func scan(name string, overlap int, do func(piece []byte) bool) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	parts, err := text(f)
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	for _, r := range parts {
		kept := 0
		for {
			n, err := io.ReadFull(r, buf[kept:])
			if n > 0 && !do(buf[:kept+n]) {
				return nil
			}
			if err != nil {
				break
			}
			copy(buf, buf[len(buf)-overlap:])
			kept = overlap
		}
	}
	return nil
}

// holds reports whether a file has a text.
func holds(name, text string) (bool, error) {
	found := false
	err := scan(name, len(text), func(piece []byte) bool {
		found = bytes.Contains(piece, []byte(text))
		return !found
	})
	return found, err
}

// fullHash returns the commit's full hash, which the compiler prints with -vV, by its
// first digits; "" if the file does not have it.
func fullHash(name, short string) string {
	const full = 40
	hash := ""
	_ = scan(name, full, func(piece []byte) bool {
		for at := 0; hash == ""; at++ {
			i := bytes.Index(piece[at:], []byte(short))
			if i < 0 || at+i+full > len(piece) {
				break
			}
			at += i
			if digits := string(piece[at:][:full]); strings.Trim(digits, "0123456789abcdef") == "" {
				hash = digits
			}
		}
		return hash == ""
	})
	return hash
}

// printed returns the version texts in a file, as `rustc -V` prints them, each once:
// "1.95.0 (59807616e 2026-04-14)".
func printed(name string) []string {
	const most = 200
	var out []string
	_ = scan(name, most, func(piece []byte) bool {
		for at := 0; ; at++ {
			i := bytes.IndexByte(piece[at:], ')')
			if i < 0 {
				return true
			}
			at += i
			if m := versionText.FindSubmatch(piece[max(0, at-40) : at+1]); m != nil && !slices.Contains(out, string(m[1])) {
				out = append(out, string(m[1]))
			}
		}
	})
	return out
}

// ToolVersion returns the number of a tool that prints it with the commit, such as rustfmt:
// "1.9.0". It is "" if the file does not tell.
func ToolVersion(name string) string {
	number := ""
	_ = scan(name, 200, func(piece []byte) bool {
		if m := toolText.FindSubmatch(piece); m != nil {
			number = string(m[1])
		}
		return number == ""
	})
	return number
}

// isELF reports whether marks of ELF files can be looked for.
func (p Platform) isELF() bool { return p.Format == inspect.ELF }
