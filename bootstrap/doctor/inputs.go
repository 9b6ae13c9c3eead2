package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/inspect"
)

// Limits of what is looked at for one log.
const (
	maxInputs  = 1000 // files
	maxSymbols = 16   // that libraries are searched for
)

// inputs looks at the files of a link that are still there.
type inputs struct {
	dir  string // that relative names start from; "" for none
	left int    // files that may still be looked at
}

// path returns where a file of a command is, or "". rustc links copies of libraries
// in a directory that it then removes; the originals lie beside the output.
func (in *inputs) path(c *command, name string) string {
	if in.dir == "" || in.left <= 0 {
		return ""
	}
	in.left--
	places := []string{name}
	if strings.HasSuffix(name, ".rlib") && c.output != "" {
		places = append(places, filepath.Join(filepath.Dir(c.output), filepath.Base(name)))
	}
	for _, p := range places {
		if !filepath.IsAbs(p) {
			p = filepath.Join(in.dir, p)
		}
		if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() {
			return p
		}
	}
	return ""
}

// files are the objects and archives of a command.
func (in *inputs) files(c *command) []string {
	var out []string
	for _, name := range c.files {
		if p := in.path(c, name); p != "" && !strings.Contains(p, "/rustlib/") {
			out = append(out, p)
		}
	}
	for _, lib := range c.libs {
		for _, dir := range c.dirs {
			if p := in.path(c, filepath.Join(dir, "lib"+lib+".a")); p != "" {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// slimInput finds an object without machine code among the inputs of a link.
func (in *inputs) slimInput(c *command) (Evidence, bool) {
	for _, path := range in.files(c) {
		f, err := inspect.Read(path, inspect.Options{})
		if err != nil {
			continue
		}
		members := f.Members
		if f.Format == inspect.ELF {
			members = []inspect.File{f}
		}
		for _, m := range members {
			if m.LTO == inspect.GCCSlim {
				return Evidence{File: path, Text: fmt.Sprintf("%q holds GCC's intermediate code alone", m.Member)}, true
			}
		}
	}
	return Evidence{}, false
}

var errFound = errors.New("found")

// defines reports whether a file defines a symbol.
func defines(path, symbol string) bool {
	name, _, _ := strings.Cut(symbol, "@")
	err := inspect.Symbols(path, func(s inspect.Symbol) error {
		if s.Defined && !s.Local && s.Name == name {
			return errFound
		}
		return nil
	})
	return errors.Is(err, errFound)
}

// archiveWith returns the archive of a link that defines a symbol, or "".
func (in *inputs) archiveWith(c *command, symbol string) string {
	for _, path := range in.files(c) {
		if ext := filepath.Ext(path); (ext == ".a" || ext == ".rlib") && defines(path, symbol) {
			return path
		}
	}
	return ""
}

// provider finds the shared library that defines a symbol which another one lacks: in
// what that one needs, beside it, and in the directories of the command.
func (in *inputs) provider(c *command, library, symbol string) string {
	path := in.path(c, library)
	if path == "" {
		return ""
	}
	var candidates []string
	if f, err := inspect.Read(path, inspect.Options{}); err == nil {
		for _, l := range f.Needed {
			if l.Path != "" {
				candidates = append(candidates, l.Path)
			}
		}
	}
	dirs := []string{filepath.Dir(path)}
	for _, d := range c.dirs {
		d = strings.TrimPrefix(strings.TrimPrefix(d, "native="), "dependency=")
		if !filepath.IsAbs(d) {
			d = filepath.Join(in.dir, d)
		}
		dirs = append(dirs, d)
	}
	for _, d := range slices.Compact(dirs) {
		found, err := filepath.Glob(filepath.Join(escapeGlob(d), "lib*.so*"))
		if err == nil && len(found) <= maxInputs {
			candidates = append(candidates, found...)
		}
	}
	for _, p := range candidates {
		if in.left--; in.left < 0 {
			return ""
		}
		if p != path && defines(p, symbol) {
			return p
		}
	}
	return ""
}

func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// lookAtProviders adds to a finding which library has the symbol that a shared library
// lacks, and what names it.
func (d *diagnosis) lookAtProviders(a *attempt, f *Finding, m *message) {
	if d.providers++; d.providers > maxSymbols || d.files.dir == "" {
		return
	}
	library := ""
	for _, ref := range m.refs {
		if name, ok := strings.CutPrefix(ref, "referenced by "); ok {
			library, _, _ = strings.Cut(name, " (disallowed")
		}
	}
	if library == "" {
		return
	}
	found := d.files.provider(a.cmd(), library, m.subject)
	if found == "" {
		return
	}
	name := strings.TrimPrefix(filepath.Base(found), "lib")
	name, _, _ = strings.Cut(name, ".so")
	flags := "-Clink-arg=-Wl,--no-as-needed -Clink-arg=-l" + name
	if !slices.ContainsFunc(f.Remedies, func(r Remedy) bool { return r.Option == flags }) {
		f.Remedies = append(f.Remedies, Remedy{flags, true, fmt.Sprintf("%s, which defines %s, is linked", found, m.subject)})
	}
}
