package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
)

// DirectiveKind says what a line of a component's file list stands for.
type DirectiveKind byte

const (
	// FileDirective lines ("file:bin/rustc") stand for one file.
	FileDirective DirectiveKind = iota
	// DirDirective lines ("dir:share/doc/rust/html") stand for a folder and
	// all that is in it; rust-installer calls such folders bulk dirs.
	DirDirective
)

// directiveWords are the words before the colon, by kind.
var directiveWords = [...]string{FileDirective: "file", DirDirective: "dir"}

// String returns "file" or "dir".
func (k DirectiveKind) String() string { return directiveWords[k&1] }

// Directive is one line of a component's file list.
type Directive struct {
	Kind DirectiveKind
	// Path is relative to the image or the prefix, clean and slash-separated.
	Path string
}

// String returns the line without its line feed.
func (d Directive) String() string { return d.Kind.String() + ":" + d.Path }

// FileList is the list of the files of a component: the file manifest.in in
// an archive, or lib/rustlib/manifest-* of an installation. Source:
// `src/tools/rust-installer/src/generator.rs`.
type FileList []Directive

// Limits on file lists: Rust's largest, rustc-docs without bulk dirs, would
// have some 50,000 lines.
const (
	maxListSize   = 64 << 20
	maxPathLength = 4096
	maxListErrors = 50
)

// ParseFileList reads a file list in any order of lines. It refuses what
// rustup refuses (an empty line, an unknown word, a path twice, an absolute
// path) and also what rustup installs without a word: a path with ".." leaves
// the toolchain, and a carriage return becomes part of a file name. Its error
// joins one error per line, with line numbers, 50 at most.
func ParseFileList(data []byte) (FileList, error) {
	return parseList(data, "")
}

// ParseInstalledFileList reads a list that install.sh or rustup left in
// lib/rustlib. install.sh writes absolute paths, which must be below prefix
// and come back relative to it; rustup writes relative ones. The prefix is a
// slash path such as /usr/local.
func ParseInstalledFileList(data []byte, prefix string) (FileList, error) {
	if !strings.HasPrefix(prefix, "/") {
		return nil, fmt.Errorf("parsing installed file list: got prefix %q, want an absolute path", prefix)
	}
	return parseList(data, strings.TrimSuffix(prefix, "/")+"/")
}

func parseList(data []byte, prefix string) (FileList, error) {
	if len(data) > maxListSize {
		return nil, fmt.Errorf("parsing file list: got %d bytes, want at most %d", len(data), maxListSize)
	}
	var errs []error
	text, complete := bytes.CutSuffix(data, []byte("\n"))
	p := listParser{prefix: prefix, lines: map[string]int{}}
	count := 0
	if len(data) > 0 {
		for line := range bytes.SplitSeq(text, []byte("\n")) {
			count++
			if err := p.line(string(line), count); err != nil && len(errs) < maxListErrors {
				errs = append(errs, fmt.Errorf("parsing file list: line %d: %w", count, err))
			}
		}
		if !complete {
			errs = append(errs, fmt.Errorf("parsing file list: line %d: want a line feed at the end", count))
		}
	}
	errs = append(errs, p.overlaps(maxListErrors-len(errs))...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p.list, nil
}

// listParser collects the lines of a list.
type listParser struct {
	prefix string
	list   FileList
	lines  map[string]int // line number by path
}

func (p *listParser) line(s string, number int) error {
	word, name, ok := strings.Cut(s, ":")
	kind := slices.Index(directiveWords[:], word)
	switch {
	case s == "":
		return errors.New("got an empty line, want file:PATH or dir:PATH")
	case !ok || kind < 0:
		return fmt.Errorf("got %.200q, want file:PATH or dir:PATH", s)
	}
	if rel, ok := strings.CutPrefix(name, p.prefix); ok {
		name = rel
	}
	if err := checkPath(name); err != nil {
		return err
	}
	if first, ok := p.lines[name]; ok {
		return fmt.Errorf("got %.200q again, which line %d has", name, first)
	}
	p.lines[name] = number
	p.list = append(p.list, Directive{DirectiveKind(kind), name})
	return nil
}

// overlaps reports paths below another listed path: a file has nothing below
// it, and what is in a bulk dir is not listed by itself.
func (p *listParser) overlaps(limit int) []error {
	var errs []error
	for _, d := range p.list {
		for i := range len(d.Path) {
			if d.Path[i] != '/' {
				continue
			}
			if line, ok := p.lines[d.Path[:i]]; ok && len(errs) < limit {
				errs = append(errs, fmt.Errorf("parsing file list: line %d: got %.200q, which is inside of line %d", p.lines[d.Path], d.Path, line))
				break
			}
		}
	}
	return errs
}

// checkPath refuses a path that could mean something else to another reader.
func checkPath(s string) error {
	switch {
	case len(s) > maxPathLength:
		return fmt.Errorf("got a path of %d bytes, want at most %d", len(s), maxPathLength)
	case !fs.ValidPath(s) || s == ".":
		return fmt.Errorf("got path %.200q, want a clean relative path", s)
	case strings.ContainsRune(s, '\\'):
		return fmt.Errorf(`got path %.200q, want none with '\', which rust-installer does not support`, s)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("got path %.200q, want none with a control character", s)
	}
	return nil
}

// Encode returns the list as rust-installer writes it: lines in the order of
// their bytes, each once, so that all "dir:" lines precede the "file:" lines.
func (l FileList) Encode() []byte {
	lines := make([]string, len(l))
	size := 0
	for i, d := range l {
		lines[i] = d.String()
		size += len(lines[i]) + 1
	}
	slices.Sort(lines)
	out := make([]byte, 0, size)
	for _, line := range slices.Compact(lines) {
		out = append(out, line...)
		out = append(out, '\n')
	}
	return out
}

// Names of the records in an archive, and in lib/rustlib of an installation.
const (
	// ManifestFile is the name of a component's file list in an archive.
	ManifestFile = "manifest.in"
	// ComponentsFile lists the components, one per line.
	ComponentsFile = "components"
	// VersionFile holds the version of the layout, 3.
	VersionFile = "rust-installer-version"
	// InstalledPrefix precedes a component's name in the name of its
	// installed file list.
	InstalledPrefix = "manifest-"
)

// InstallerVersion is the only version of the layout that rustup reads.
const InstallerVersion = "3"

// ParseInstallerVersion checks the content of rust-installer-version: "3",
// with a line feed as rust-installer writes it or without one as rustup does.
func ParseInstallerVersion(data []byte) error {
	if v := strings.TrimSuffix(string(data[:min(len(data), 100)]), "\n"); v != InstallerVersion {
		return fmt.Errorf("parsing %s: got %q, want %q", VersionFile, v, InstallerVersion)
	}
	return nil
}

// ParseComponentNames reads the file `components`: one name per line, each once.
func ParseComponentNames(data []byte) ([]string, error) {
	if len(data) > maxListSize {
		return nil, fmt.Errorf("parsing %s: got %d bytes, want at most %d", ComponentsFile, len(data), maxListSize)
	}
	var names []string
	var errs []error
	seen := map[string]int{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		name, ok := strings.CutSuffix(line, "\n")
		switch first := seen[name]; {
		case len(errs) >= maxListErrors:
		case !isPackageName(strings.ReplaceAll(name, ".", "_")) || strings.HasPrefix(name, "."):
			errs = append(errs, fmt.Errorf("parsing %s: line %d: got %.200q, want the name of a component", ComponentsFile, number, name))
		case first > 0:
			errs = append(errs, fmt.Errorf("parsing %s: line %d: got %q again, which line %d has", ComponentsFile, number, name, first))
		case !ok:
			errs = append(errs, fmt.Errorf("parsing %s: line %d: want a line feed at the end", ComponentsFile, number))
		}
		seen[name] = number
		names = append(names, name)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return names, nil
}

// EncodeComponentNames returns the content of the file `components`, in the
// order given.
func EncodeComponentNames(names ...string) []byte {
	var b bytes.Buffer
	for _, name := range names {
		b.WriteString(name)
		b.WriteByte('\n')
	}
	return b.Bytes()
}
