package manifests

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DirectiveKind says what a line of a component's file list stands for.
type DirectiveKind byte

const (
	// FileDirective lines ("file:bin/rustc") stand for one file.
	FileDirective DirectiveKind = iota
	// DirDirective lines ("dir:share/doc/rust/html") stand for a directory and
	// all that is in it; rust-installer calls such directories bulk dirs.
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
	maxListErrors = 50
)

// ListProblemKind says what is wrong with a file list.
type ListProblemKind uint8

const (
	// ListSyntax: no list of lines, or a line that is no "file:PATH" or "dir:PATH".
	ListSyntax ListProblemKind = iota
	// ListPath: a path that leaves the prefix or that readers take differently.
	ListPath
	// ListDuplicate: a path that is listed twice, or below another listed path.
	ListDuplicate
	// ListOrder: a line that rust-installer would have written earlier. All
	// readers accept it.
	ListOrder
	// ListEmpty: nothing is listed. All readers accept it.
	ListEmpty
)

// ListProblem is one thing that is wrong with a file list or with the file
// `components`.
type ListProblem struct {
	Kind ListProblemKind
	Line int    // from 1; 0 for the file as a whole
	Text string // such as "got an empty line, want file:PATH or dir:PATH"
}

// tolerated reports whether all readers of a list accept the problem.
func (p ListProblem) tolerated() bool { return p.Kind == ListOrder || p.Kind == ListEmpty }

// ReadFileList reads a file list and calls report for each problem, in no
// particular order. It returns the usable part: clean paths, each once. A problem
// is what rustup refuses (an empty line, an unknown word, a path twice, an absolute
// path), what rustup installs silently (a path with ".." leaves the toolchain, a
// carriage return becomes part of a file name), and what only differs from the
// lists that rust-installer writes.
func ReadFileList(data []byte, report func(ListProblem)) FileList {
	return readList(data, "", report)
}

// ParseFileList reads a file list, whose lines may be in any order and which may
// be empty. The error joins all other problems of [ReadFileList], with line
// numbers, 50 at most.
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
	var found listErrors
	list := readList(data, prefix, found.add)
	if err := found.join("file list"); err != nil {
		return nil, err
	}
	return list, nil
}

// listErrors are the first problems that a reader does not tolerate.
type listErrors []ListProblem

func (e *listErrors) add(p ListProblem) {
	if !p.tolerated() && len(*e) < maxListErrors {
		*e = append(*e, p)
	}
}

// join returns the problems as one error, in the order of lines.
func (e listErrors) join(what string) error {
	slices.SortStableFunc(e, func(a, b ListProblem) int { return cmp.Compare(a.Line, b.Line) })
	var errs []error
	for _, p := range e {
		errs = append(errs, fmt.Errorf("parsing %s: line %d: %s", what, p.Line, p.Text))
	}
	return errors.Join(errs...)
}

func readList(data []byte, prefix string, report func(ListProblem)) FileList {
	if len(data) == 0 {
		report(ListProblem{Kind: ListEmpty, Text: "it is empty"})
		return nil
	}
	p := listParser{prefix: prefix, report: report, lines: map[string]int{}}
	text, complete := bytes.CutSuffix(data, []byte("\n"))
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		p.number++
		p.line(string(line))
	}
	if !complete {
		p.problem(ListSyntax, "want a line feed at the end")
	}
	p.overlaps()
	return p.list
}

// listParser collects the lines of a list.
type listParser struct {
	prefix string
	report func(ListProblem)
	number int    // of the current line
	last   string // the usable line before
	list   FileList
	lines  map[string]int // line number by path
}

func (p *listParser) problem(kind ListProblemKind, format string, args ...any) {
	p.report(ListProblem{kind, p.number, fmt.Sprintf(format, args...)})
}

func (p *listParser) line(s string) {
	if strings.ContainsRune(s, '\r') {
		p.problem(ListSyntax, "got a carriage return in %.200q, which would be part of a file name", s)
		s = strings.TrimSuffix(s, "\r")
	}
	word, name, ok := strings.Cut(s, ":")
	kind := slices.Index(directiveWords[:], word)
	switch {
	case s == "":
		p.problem(ListSyntax, "got an empty line, want file:PATH or dir:PATH")
		return
	case !ok || kind < 0:
		p.problem(ListSyntax, "got %.200q, want file:PATH or dir:PATH", s)
		return
	}
	if rel, ok := strings.CutPrefix(name, p.prefix); ok {
		name = rel
	}
	if err := CheckMemberName(name); err != nil {
		p.problem(ListPath, "got path %.200q: %v", name, err)
		return
	}
	if first, ok := p.lines[name]; ok {
		p.problem(ListDuplicate, "got %.200q again, which line %d has", name, first)
		return
	}
	if s < p.last {
		p.problem(ListOrder, "got %.200q after %.200q", s, p.last)
	}
	p.lines[name], p.last = p.number, s
	p.list = append(p.list, Directive{DirectiveKind(kind), name})
}

// overlaps reports paths below another listed path: a file has nothing below
// it, and what is in a bulk dir is not listed by itself.
func (p *listParser) overlaps() {
	for _, d := range p.list {
		for i := range len(d.Path) {
			if d.Path[i] != '/' {
				continue
			}
			if line, ok := p.lines[d.Path[:i]]; ok {
				p.number = p.lines[d.Path]
				p.problem(ListDuplicate, "got %.200q, which is inside of line %d", d.Path, line)
				break
			}
		}
	}
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

// ReadComponentNames reads the file `components`, which has one name per line, and
// calls report for each problem. It returns the usable names, each once.
func ReadComponentNames(data []byte, report func(ListProblem)) []string {
	var names []string
	seen := map[string]int{}
	number := 0
	problem := func(kind ListProblemKind, format string, args ...any) {
		report(ListProblem{kind, number, fmt.Sprintf(format, args...)})
	}
	if len(data) == 0 {
		problem(ListEmpty, "it names no component")
	}
	for line := range strings.Lines(string(data)) {
		number++
		name, ended := strings.CutSuffix(line, "\n")
		if err := CheckComponentName(name); err != nil {
			problem(ListSyntax, "got %.200q, want the name of a component: %v", name, err)
		} else if first := seen[name]; first > 0 {
			problem(ListDuplicate, "got %q again, which line %d has", name, first)
		} else {
			seen[name] = number
			names = append(names, name)
		}
		if !ended {
			problem(ListSyntax, "want a line feed at the end")
		}
	}
	return names
}

// ParseComponentNames reads the file `components`, which is empty in an
// installation without components. The error joins all other problems of
// [ReadComponentNames], 50 at most.
func ParseComponentNames(data []byte) ([]string, error) {
	if len(data) > maxListSize {
		return nil, fmt.Errorf("parsing %s: got %d bytes, want at most %d", ComponentsFile, len(data), maxListSize)
	}
	var found listErrors
	names := ReadComponentNames(data, found.add)
	if err := found.join(ComponentsFile); err != nil {
		return nil, err
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
