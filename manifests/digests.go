package manifests

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DigestsPrefix precedes a component's name in the name of its [Digests], beside its
// installed file list.
const DigestsPrefix = "digests-"

// MaxDigests bounds the text of [Digests], in bytes. That of all documentation has
// 7 MB.
const MaxDigests = 64 << 20

// Digests says what the files of an installed component were when they were installed.
// The lists of rust-installer only name them.
//
// The text has a line for each file, sorted by path, with tabs between the fields:
//
//	x-digests 1
//	component	rustc
//	prefix	/usr
//	manifest	DIGEST
//	uninstaller	DIGEST
//	file	755	1234	DIGEST	bin/rustc
//	link	777	lib64/libLLVM.so	libLLVM.so.21
//	dir	755	share/doc/rust/html/empty
//	sum	DIGEST
//
// The last line has the digest of all lines before it: a text that was cut or edited
// is none. A path with a control character, a leading quote or bytes that are no UTF-8
// is a quoted Go string. There is one text for each value.
type Digests struct {
	// Component is the name in the file `components`.
	Component string
	// Prefix is the absolute path that the file list was written for, without
	// staging directory.
	Prefix string
	// Manifest is the digest of the component's file list, manifest-NAME. If that
	// has another one by now, something else has installed the component since.
	Manifest Hash
	// Uninstaller is the digest of uninstall.sh, beside the list; zero, and without a
	// line in the text, if there is none. An installation of another component may have
	// put another one in its place since.
	Uninstaller Hash
	// Files are sorted bytewise by path, which each has once.
	Files []FileDigest
}

// FileDigest is one file, symbolic link or directory of [Digests].
type FileDigest struct {
	// Path is clean, with slashes: relative to the prefix, so that a prefix can
	// move, or absolute, without staging directory, if it is not below it.
	Path string
	// Mode has the permissions, and the type bits of a link or directory.
	Mode fs.FileMode
	// Size is that of a regular file, in bytes.
	Size int64
	// Hash is that of a regular file's content.
	Hash Hash
	// Link is the target of a symbolic link.
	Link string
}

// Lines of the text.
const (
	digestsMagic    = "x-digests 1"
	wordUninstaller = "uninstaller"
	wordSum         = "sum"
	wordFile        = "file"
	wordLink        = "link"
	wordDir         = "dir"
)

// check returns an error unless f can stand in the text.
func (f FileDigest) check() error {
	if f.Path == "" || f.Path == "." || path.Clean(f.Path) != f.Path || strings.HasPrefix(f.Path, "../") || f.Path == ".." || f.Path == "/" {
		return fmt.Errorf("got path %.200q, want a clean one, below the prefix or absolute", f.Path)
	}
	if len(f.Path) > maxMemberName || len(f.Link) > maxMemberName {
		return fmt.Errorf("got path %.200q, want at most %d bytes", f.Path, maxMemberName)
	}
	if strings.ContainsRune(f.Path+f.Link, 0) {
		return fmt.Errorf("got path %.200q with a zero byte", f.Path)
	}
	switch {
	case f.Mode&^(fs.ModePerm|fs.ModeDir|fs.ModeSymlink) != 0:
		return fmt.Errorf("%.200q: got mode %v, want that of a file, directory or symbolic link", f.Path, f.Mode)
	case f.Mode.IsRegular() && (f.Size < 0 || f.Hash.IsZero() || f.Link != ""),
		!f.Mode.IsRegular() && (f.Size != 0 || !f.Hash.IsZero()),
		(f.Mode&fs.ModeSymlink != 0) != (f.Link != ""):
		return fmt.Errorf("%.200q: got fields of another kind than %v", f.Path, f.Mode)
	}
	return nil
}

func (f FileDigest) line() string {
	mode := strconv.FormatUint(uint64(f.Mode.Perm()), 8)
	switch {
	case f.Mode&fs.ModeSymlink != 0:
		return strings.Join([]string{wordLink, mode, quoteField(f.Path), quoteField(f.Link)}, "\t")
	case f.Mode.IsDir():
		return strings.Join([]string{wordDir, mode, quoteField(f.Path)}, "\t")
	}
	return strings.Join([]string{wordFile, mode, strconv.FormatInt(f.Size, 10), f.Hash.String(), quoteField(f.Path)}, "\t")
}

// quoteField returns a path as it is, or quoted if a line cannot hold it.
func quoteField(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, `"`) && strings.IndexFunc(s, unicode.IsControl) < 0 {
		return s
	}
	return strconv.QuoteToASCII(s)
}

// parseField is the inverse of quoteField.
func parseField(s string) (string, error) {
	plain := s
	if strings.HasPrefix(s, `"`) {
		var err error
		if plain, err = strconv.Unquote(s); err != nil {
			return "", fmt.Errorf("got path %.200s, want it quoted as in Go", strconv.Quote(s))
		}
	}
	if quoteField(plain) != s {
		return "", fmt.Errorf("got path %.200q, want it written as %.200s", s, quoteField(plain))
	}
	return plain, nil
}

// Encode returns the text of d, whose files may have any order. It is an error if a
// value cannot stand in it.
func (d Digests) Encode() ([]byte, error) {
	files := slices.Clone(d.Files)
	slices.SortFunc(files, func(a, b FileDigest) int { return cmp.Compare(a.Path, b.Path) })
	if err := d.checkHead(); err != nil {
		return nil, fmt.Errorf("encoding digests of %.200q: %w", d.Component, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\ncomponent\t%s\nprefix\t%s\nmanifest\t%s\n", digestsMagic, d.Component, quoteField(d.Prefix), d.Manifest)
	if !d.Uninstaller.IsZero() {
		fmt.Fprintf(&b, "%s\t%s\n", wordUninstaller, d.Uninstaller)
	}
	for i, f := range files {
		err := f.check()
		if err == nil && i > 0 && files[i-1].Path == f.Path {
			err = fmt.Errorf("got path %.200q twice", f.Path)
		}
		if err != nil {
			return nil, fmt.Errorf("encoding digests of %q: %w", d.Component, err)
		}
		b.WriteString(f.line())
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s\t%s\n", wordSum, HashOf(b.Bytes()))
	if b.Len() > MaxDigests {
		return nil, fmt.Errorf("encoding digests of %q: got %d bytes, want at most %d", d.Component, b.Len(), MaxDigests)
	}
	return b.Bytes(), nil
}

func (d Digests) checkHead() error {
	if d.Manifest.IsZero() {
		return errors.New("got no digest of the file list")
	}
	return cmp.Or(checkComponent(d.Component), checkPrefix(d.Prefix))
}

func checkComponent(name string) error {
	if err := CheckComponentName(name); err != nil {
		return fmt.Errorf("got component %.200q: %w", name, err)
	}
	return nil
}

func checkPrefix(prefix string) error {
	if !path.IsAbs(prefix) || path.Clean(prefix) != prefix || strings.ContainsRune(prefix, 0) || len(prefix) > maxMemberName {
		return fmt.Errorf("got prefix %.200q, want a clean absolute path", prefix)
	}
	return nil
}

// ParseDigests reads the text of [Digests.Encode], and no other: files that are not
// sorted, a mode with leading zeros or a missing line at the end are errors, which name
// the line.
func ParseDigests(data []byte) (Digests, error) {
	if len(data) > MaxDigests {
		return Digests{}, fmt.Errorf("parsing digests: got %d bytes, want at most %d", len(data), MaxDigests)
	}
	p := digestsParser{left: string(data)}
	d, err := p.parse()
	if err == nil {
		err = p.sum(data)
	}
	if err != nil {
		return Digests{}, fmt.Errorf("parsing digests: line %d: %w", p.number, err)
	}
	return d, nil
}

type digestsParser struct {
	left   string // lines not read yet
	number int    // of the line read last
}

// next returns the next line, without its end.
func (p *digestsParser) next() (string, error) {
	p.number++
	line, left, ended := strings.Cut(p.left, "\n")
	if !ended {
		return "", errors.New("got no end of the text, want a line with its sum: it was cut")
	}
	p.left = left
	return line, nil
}

// field reads a line of a word and one field.
func (p *digestsParser) field(word string) (string, error) {
	line, err := p.next()
	if err != nil {
		return "", err
	}
	field, ok := strings.CutPrefix(line, word+"\t")
	if !ok {
		return "", fmt.Errorf("got %.200q, want %q and a tab", line, word)
	}
	return field, nil
}

func (p *digestsParser) parse() (d Digests, err error) {
	if line, err := p.next(); err != nil {
		return d, err
	} else if line != digestsMagic {
		return d, fmt.Errorf("got %.200q, want %q", line, digestsMagic)
	}
	for _, head := range []struct {
		word string
		read func(text string) error
	}{
		{"component", func(text string) error { d.Component = text; return checkComponent(text) }},
		{"prefix", func(text string) (err error) {
			d.Prefix, err = parseField(text)
			return cmp.Or(err, checkPrefix(d.Prefix))
		}},
		{"manifest", func(text string) (err error) {
			d.Manifest, err = ParseHash(text)
			return cmp.Or(err, d.checkHead())
		}},
	} {
		text, err := p.field(head.word)
		if err == nil {
			err = head.read(text)
		}
		if err != nil {
			return d, err
		}
	}
	if strings.HasPrefix(p.left, wordUninstaller+"\t") {
		text, err := p.field(wordUninstaller)
		if err == nil {
			d.Uninstaller, err = ParseHash(text)
		}
		if err == nil && d.Uninstaller.IsZero() {
			err = errors.New("got the digest of no uninstaller, want no line")
		}
		if err != nil {
			return d, err
		}
	}
	for !strings.HasPrefix(p.left, wordSum+"\t") {
		line, err := p.next()
		if err != nil {
			return d, err
		}
		f, err := parseFileDigest(line)
		if err != nil {
			return d, err
		}
		if n := len(d.Files); n > 0 && d.Files[n-1].Path >= f.Path {
			return d, fmt.Errorf("got path %.200q after %.200q, want them sorted, each once", f.Path, d.Files[n-1].Path)
		}
		d.Files = append(d.Files, f)
	}
	return d, nil
}

// sum checks the last line.
func (p *digestsParser) sum(data []byte) error {
	want := HashOf(data[:len(data)-len(p.left)])
	text, err := p.field(wordSum)
	if err != nil {
		return err
	}
	got, err := ParseHash(text)
	switch {
	case err != nil:
		return err
	case got != want:
		return fmt.Errorf("got sum %s, want %s of the lines before: they were changed", got, want)
	case p.left != "":
		return errors.New("got more lines after the sum")
	}
	return nil
}

func parseFileDigest(line string) (f FileDigest, err error) {
	fields := strings.Split(line, "\t")
	want := map[string]int{wordFile: 5, wordLink: 4, wordDir: 3}[fields[0]]
	if len(fields) != want {
		return f, fmt.Errorf("got %.200q, want the fields of a file, link or dir", line)
	}
	mode, err := strconv.ParseUint(fields[1], 8, 9)
	if err != nil {
		return f, fmt.Errorf("got mode %.200q, want three octal digits at most", fields[1])
	}
	f.Mode = fs.FileMode(mode)
	names := fields[2:]
	switch fields[0] {
	case wordFile:
		if f.Size, err = strconv.ParseInt(fields[2], 10, 64); err != nil {
			return f, fmt.Errorf("got size %.200q, want a number", fields[2])
		}
		if f.Hash, err = ParseHash(fields[3]); err != nil {
			return f, err
		}
		names = fields[4:]
	case wordLink:
		f.Mode |= fs.ModeSymlink
		if f.Link, err = parseField(fields[3]); err != nil {
			return f, err
		}
	case wordDir:
		f.Mode |= fs.ModeDir
	}
	if f.Path, err = parseField(names[0]); err != nil {
		return f, err
	}
	if err := f.check(); err != nil {
		return f, err
	}
	if f.line() != line { // leading zeros, signs
		return f, fmt.Errorf("got %.200q, want it written as %.200q", line, f.line())
	}
	return f, nil
}
