package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ArchiveError says where an archive breaks the format of ar(5) or a limit of this
// package.
type ArchiveError struct {
	Offset int64  // byte offset in the archive
	Msg    string // what is wrong there
}

// Error implements [error].
func (e *ArchiveError) Error() string {
	return fmt.Sprintf("reading archive at offset %#x: %s", e.Offset, e.Msg)
}

func archiveErrorf(off int64, format string, args ...any) error {
	return &ArchiveError{Offset: off, Msg: fmt.Sprintf(format, args...)}
}

const (
	arMagic    = "!<arch>\n"
	thinMagic  = "!<thin>\n"
	arHeader   = 60
	maxArNames = 64 << 20 // bytes of the table of long names
	maxArName  = 4 << 10  // bytes of a name
)

// entry is a member of an archive.
type entry struct {
	name      string
	off, size int64 // of its content; in a thin archive off is that of its header
	// outside says that the content is the file of that name, as in a thin archive; at is
	// the offset of a member in that file, if it is an archive itself, else 0.
	outside bool
	at      int64
}

// archive reads the headers of an archive. Tables of symbols and of names are no
// members.
type archive struct {
	r     io.ReaderAt
	size  int64
	thin  bool
	names []byte // GNU's table of long names
}

// newArchive returns nil if r is no archive.
func newArchive(r io.ReaderAt, size int64) *archive {
	magic := make([]byte, len(arMagic))
	if n, _ := r.ReadAt(magic, 0); n < len(magic) {
		return nil
	}
	switch string(magic) {
	case arMagic:
		return &archive{r: r, size: size}
	case thinMagic:
		return &archive{r: r, size: size, thin: true}
	}
	return nil
}

// each calls do with the members in order, and stops at the first error.
func (a *archive) each(do func(entry) error) error {
	for off := int64(len(arMagic)); off < a.size; {
		e, next, err := a.entryAt(off)
		if err != nil {
			return err
		}
		if e.name != "" {
			if err := do(e); err != nil {
				return err
			}
		}
		off = next
	}
	return nil
}

// findNames reads the table of long names, which comes before all members but the table
// of symbols.
func (a *archive) findNames() error {
	for off := int64(len(arMagic)); off < a.size && a.names == nil; {
		e, next, err := a.entryAt(off)
		if err != nil || e.name != "" {
			return err
		}
		off = next
	}
	return nil
}

// entryAt reads the header at offset off. An entry without a name is a table of the
// archive itself. next is the offset of the next header.
func (a *archive) entryAt(off int64) (e entry, next int64, err error) {
	head := make([]byte, arHeader)
	if err := a.read(head, off, "a member's header"); err != nil {
		return entry{}, 0, err
	}
	if string(head[58:]) != "`\n" {
		return entry{}, 0, archiveErrorf(off+58, "got %q at the end of a member's header, want %q", head[58:], "`\n")
	}
	text := strings.TrimRight(string(head[48:58]), " ")
	size, err := strconv.ParseUint(text, 10, 62)
	if err != nil {
		return entry{}, 0, archiveErrorf(off+48, "got %q for the size of a member, want a number", text)
	}
	e = entry{off: off + arHeader, size: int64(size)}
	name := strings.TrimRight(string(head[:16]), " ")
	if a.thin && !isTable(name) {
		e.outside, e.off = true, off
		next = off + arHeader
	} else {
		if e.size > a.size-e.off {
			return entry{}, 0, archiveErrorf(off+48, "got a member of %d bytes, but the archive ends after %d", e.size, a.size-e.off)
		}
		next = e.off + e.size
		next += next & 1
	}
	if isTable(name) {
		if name == "//" {
			err = a.readNames(e)
		}
		return entry{}, next, err
	}
	if err = a.nameEntry(&e, name, off); err != nil {
		return entry{}, 0, err
	}
	if strings.HasPrefix(e.name, "__.SYMDEF") {
		e.name = "" // BSD's and macOS's table of symbols
	}
	return e, next, nil
}

// isTable reports whether a name is that of a table: symbols ("/", "/SYM64/", and of
// Windows "/<ECSYMBOLS>/" and "/<XFGHASHMAP>/"), or long names ("//").
func isTable(name string) bool {
	return name == "/" || name == "//" || name == "/SYM64/" || strings.HasPrefix(name, "/<") || name == "ARFILENAMES/"
}

func (a *archive) read(b []byte, off int64, what string) error {
	n, err := a.r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) || err == nil {
		return archiveErrorf(off, "the archive ends within %s", what)
	}
	return fmt.Errorf("reading %s: %w", what, err)
}

// readNames keeps the table of long names.
func (a *archive) readNames(e entry) error {
	if e.size > maxArNames {
		return archiveErrorf(e.off, "got %d bytes of names, want at most %d", e.size, maxArNames)
	}
	a.names = make([]byte, e.size) // the archive has them
	return a.read(a.names, e.off, "the names")
}

// nameEntry finds the name of a member whose header is at offset off. GNU writes
// "name/", or "/123" for one in the table of names; BSD writes "#1/20", and the name
// before the content.
func (a *archive) nameEntry(e *entry, name string, off int64) error {
	if length, ok := strings.CutPrefix(name, "#1/"); ok && !a.thin {
		n, err := strconv.ParseUint(length, 10, 32)
		if err != nil || int64(n) > e.size || n > maxArName {
			return archiveErrorf(off, "got a name of %q bytes in a member of %d", length, e.size)
		}
		b := make([]byte, n)
		if err := a.read(b, e.off, "a member's name"); err != nil {
			return err
		}
		e.name, e.off, e.size = strings.TrimRight(string(b), "\x00"), e.off+int64(n), e.size-int64(n)
	} else if ref, ok := strings.CutPrefix(name, "/"); ok {
		if err := a.longName(e, ref, off); err != nil {
			return err
		}
	} else {
		e.name = strings.TrimSuffix(name, "/")
	}
	if e.name == "" {
		return archiveErrorf(off, "got a member without a name")
	}
	return nil
}

// longName looks a name up in the table of names: "123", or in a thin archive that
// holds members of another one "123:4567", the offset of the member there.
func (a *archive) longName(e *entry, ref string, off int64) error {
	index, at, nested := strings.Cut(ref, ":")
	i, err := strconv.ParseUint(index, 10, 62)
	if err != nil || i >= uint64(len(a.names)) {
		return archiveErrorf(off, "got name %q, but the table of names has %d bytes", "/"+ref, len(a.names))
	}
	if nested {
		n, err := strconv.ParseUint(at, 10, 62)
		if err != nil || !a.thin {
			return archiveErrorf(off, "got name %q, want %q", "/"+ref, "/"+index)
		}
		e.at = int64(n)
	}
	tail := a.names[i:]
	tail = tail[:min(len(tail), maxArName)]
	end := bytes.IndexAny(tail, "\n\x00") // COFF ends names with NUL
	if end < 0 {
		end = len(tail)
	}
	e.name = strings.TrimSuffix(string(tail[:end]), "/")
	return nil
}
