package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tarStream reads a tar stream as rustup does, which is with the Rust crate tar
// 0.4.44 (`src/archive.rs`, `src/header.rs`, `src/pax.rs`), and judges each header
// on its way: what that crate refuses ends the stream, and what it reads in another
// way than GNU tar is a problem of kind [ProblemHeader]. archive/tar does not do: it
// passes over headers that describe no member, takes the last of two paths, and
// gives up at numbers that nobody needs.
type tarStream struct {
	r     *boundedReader
	found *collector
	left  int64 // content of the member, still to be read
	pad   int64 // zeros after it
	// zeros is the number of zero blocks that ended the stream, at most 2.
	zeros int
	junk  bool // a block that is not zero follows a zero block
}

// maxSpecial bounds a pax header or a long name, in bytes.
const maxSpecial = 1 << 20

// Offsets of fields of a tar header that only reading needs; see [nameEnd].
const (
	modeStart, uidStart, gidStart     = 100, 108, 116
	sizeStart, timeStart              = 124, 136
	sumStart, sumEnd, typeAt          = 148, 156, 156
	userStart, groupStart, groupEnd   = 265, 297, 329
	prefixStart, prefixEnd            = 345, 500
	sparseExtended, sparseMoreExtends = 482, 504
)

// headerBlock is a header as it is in the stream.
type headerBlock [tarBlock]byte

// special is what headers before a member's own say of it; nil if there was none.
type special struct{ name, link, pax []byte }

// any reports whether there was one.
func (s special) any() bool { return s.name != nil || s.link != nil || s.pax != nil }

// field returns where the content of a header goes, or nil if it is a member's own.
func (s *special) field(b *headerBlock) *[]byte {
	switch kind := b[typeAt]; {
	case !b.isUstar() && !b.isGNU():
	case kind == tar.TypeGNULongName:
		return &s.name
	case kind == tar.TypeGNULongLink:
		return &s.link
	case kind == tar.TypeXHeader:
		return &s.pax
	}
	return nil
}

// next moves to the next member. [io.EOF] is the end of the tar stream.
func (t *tarStream) next() (*tar.Header, error) {
	var s special
	for {
		b, err := t.block()
		if errors.Is(err, io.EOF) && s.any() {
			return nil, errors.New("the last header describes a member that does not follow")
		}
		if err != nil {
			return nil, err
		}
		size, err := b.size(s.pax)
		if err != nil {
			return nil, err
		}
		t.left, t.pad = size, padded(size)-size
		field := s.field(b)
		switch {
		case field == nil && b.isGlobal():
			err = t.global(s)
			s = special{}
		case field == nil:
			return t.member(b, s)
		case *field != nil:
			err = fmt.Errorf("two headers of type %q describe one member", b[typeAt])
		default:
			*field, err = t.data()
		}
		if err != nil {
			return nil, err
		}
	}
}

// block reads the next header. Its error is [io.EOF] at the end of the stream.
func (t *tarStream) block() (b *headerBlock, err error) {
	if _, err := io.CopyN(io.Discard, t.r, t.left+t.pad); err != nil {
		return nil, noEOF(err)
	}
	t.left, t.pad = 0, 0
	b = new(headerBlock)
	if _, err := io.ReadFull(t.r, b[:]); err != nil {
		return nil, err
	}
	if *b == (headerBlock{}) {
		return nil, t.ending()
	}
	var sum uint64
	for i, c := range b {
		if i >= sumStart && i < sumEnd {
			c = ' ' // the checksum counts itself as spaces
		}
		sum += uint64(c)
	}
	if got, ok := octal(b[sumStart:sumEnd]); !ok || uint32(got) != uint32(sum) {
		return nil, errors.New("a header fails its checksum")
	}
	return b, nil
}

// ending reads the second of the zero blocks that end the stream. rustup does not
// look at it.
func (t *tarStream) ending() error {
	var b headerBlock
	_, err := io.ReadFull(t.r, b[:])
	t.zeros, t.junk = 1, b != headerBlock{}
	if err == nil && !t.junk {
		t.zeros = 2
	}
	if below := t.r.err; err != nil && !errors.Is(below, io.EOF) {
		return below
	}
	return io.EOF
}

// data reads the content of a special header.
func (t *tarStream) data() ([]byte, error) {
	if t.left > maxSpecial {
		return nil, fmt.Errorf("a header of %d bytes describes a member, the limit is %d", t.left, maxSpecial)
	}
	b := make([]byte, t.left)
	n, err := io.ReadFull(t.r, b)
	t.left -= int64(n)
	return b, noEOF(err)
}

// Read reads the content of a member. The end of the stream inside it is an error.
func (t *tarStream) Read(p []byte) (int, error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	n, err := t.r.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	if errors.Is(err, io.EOF) && t.left > 0 {
		return n, io.ErrUnexpectedEOF
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// member returns the header of a member.
func (t *tarStream) member(b *headerBlock, s special) (*tar.Header, error) {
	h := &tar.Header{Typeflag: b[typeAt], Name: b.name(), Linkname: text(b[linkStart:linkEnd]), Size: t.left}
	if b.isUstar() || b.isGNU() {
		h.Uname, h.Gname = text(b[userStart:groupStart]), text(b[groupStart:groupEnd])
	}
	if h.Typeflag == 0 {
		h.Typeflag = tar.TypeReg
	}
	if h.Typeflag == tar.TypeGNUSparse {
		if err := t.sparse(b); err != nil {
			return nil, err
		}
	}
	others := h.Name // what GNU tar takes: a pax path before a long name
	if s.name != nil {
		h.Name = longText(s.name)
		others = h.Name
	} else if v, ok := rustupValue(s.pax, paxPath); ok {
		h.Name = v
	}
	if v, ok := lastValue(s.pax, paxPath); ok {
		others = v
	}
	if h.Name != others {
		t.differs("the names %.200q and %.200q of one member", h.Name, others)
	}
	if s.link != nil {
		h.Linkname = longText(s.link)
	}
	t.numbers(h, b)
	t.pax(h, s.pax)
	return h, nil
}

// differs notes that readers take a header in different ways.
func (t *tarStream) differs(format string, args ...any) {
	// The stream goes on, and a strict reader asks the collector.
	_ = t.found.add(ProblemHeader, "readers of tar disagree: got "+format, args...)
}

// numbers reads the numeric fields.
func (t *tarStream) numbers(h *tar.Header, b *headerBlock) {
	mode, ok := octal(b[modeStart:uidStart])
	if !ok {
		_ = t.found.add(ProblemHeader, "member %.200q: got mode %q, which is no octal number and stops rustup", h.Name, b[modeStart:uidStart])
	}
	h.Mode = int64(mode & 0o7777)
	for _, f := range []struct {
		what  string
		field []byte
		kind  ProblemKind
		set   func(v uint64)
	}{
		{"uid", b[uidStart:gidStart], ProblemOwner, func(v uint64) { h.Uid = int(v) }},
		{"gid", b[gidStart:sizeStart], ProblemOwner, func(v uint64) { h.Gid = int(v) }},
		{"time", b[timeStart:sumStart], ProblemTime, func(v uint64) { h.ModTime = time.Unix(int64(v), 0) }},
	} {
		v, ok := number(f.field)
		if !ok && text(f.field) != "" {
			t.found.tolerate(f.kind, "member %.200q: got %s %q, which is no number", h.Name, f.what, f.field)
		}
		f.set(v)
	}
}

// sparse passes over the headers that continue a sparse file's.
func (t *tarStream) sparse(b *headerBlock) error {
	more := b.isGNU() && b[sparseExtended] == 1
	for more {
		var next headerBlock
		if _, err := io.ReadFull(t.r, next[:]); err != nil {
			return fmt.Errorf("reading a sparse header: %w", noEOF(err))
		}
		more = next[sparseMoreExtends] == 1
	}
	return nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// global reads a pax header for all members that follow. It is sound as long as it
// says nothing that other readers would follow.
func (t *tarStream) global(s special) error {
	if s.any() {
		t.differs("a header that describes a global pax header")
	}
	data, err := t.data()
	if err != nil {
		return err
	}
	records, err := paxRecords(data)
	if err != nil {
		t.differs("a malformed global pax header: %v", err)
	}
	for _, r := range records {
		if isPaxContent(r.key) {
			t.differs("a global pax header that sets %.100q", r.key)
		}
	}
	return nil
}

// size is the size of the content. A pax header counts for rustup only if the
// field is zero.
func (b *headerBlock) size(pax []byte) (int64, error) {
	v, ok := number(b[sizeStart:timeStart])
	if !ok {
		return 0, fmt.Errorf("got size %q in the header of %.200q, want an octal number", b[sizeStart:timeStart], b.name())
	}
	if pax != nil && v == 0 {
		if text, ok := rustupValue(pax, paxSize); ok {
			if n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64); err == nil {
				v = n
			}
		}
	}
	if v > math.MaxInt64-tarBlock {
		return 0, fmt.Errorf("got size %d in the header of %.200q", v, b.name())
	}
	return int64(v), nil
}

// isGlobal reports whether rustup passes over a pax header for all members: it takes
// it for a file, which it does not unpack if no "/" is in its name.
func (b *headerBlock) isGlobal() bool {
	return b[typeAt] == tar.TypeXGlobalHeader && !strings.Contains(b.name(), "/")
}

func (b *headerBlock) isUstar() bool { return string(b[magicStart:userStart]) == "ustar\x0000" }
func (b *headerBlock) isGNU() bool   { return string(b[magicStart:userStart]) == "ustar  \x00" }

// name is the name in the header itself.
func (b *headerBlock) name() string {
	name := text(b[:nameEnd])
	if prefix := text(b[prefixStart:prefixEnd]); b.isUstar() && prefix != "" {
		return prefix + "/" + name
	}
	return name
}

// text is a field up to its first NUL.
func text(field []byte) string {
	s, _, _ := bytes.Cut(field, []byte{0})
	return string(s)
}

// longText is the content of a long name, which ends with a NUL.
func longText(data []byte) string { return string(bytes.TrimSuffix(data, []byte{0})) }

// octal reads a numeric field as the crate does: up to the first NUL, blanks around
// it ignored.
func octal(field []byte) (uint64, bool) {
	v, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(text(field)), "+"), 8, 64)
	return v, err == nil
}

// number is [octal], or a big-endian binary number if the top bit is set.
func number(field []byte) (uint64, bool) {
	if field[0]&0x80 == 0 {
		return octal(field)
	}
	var v uint64
	if len(field) == 8 {
		v = uint64(field[0] ^ 0x80)
		field = field[1:]
	}
	for _, c := range field[max(0, len(field)-8):] {
		v = v<<8 | uint64(c)
	}
	return v, true
}

// Keys of pax records that change what a member is.
const (
	paxPath, paxLink, paxSize = "path", "linkpath", "size"
	paxSparse                 = "GNU.sparse."
)

// isPaxContent reports whether a pax record changes name or content of a member.
func isPaxContent(key string) bool {
	return slices.Contains([]string{paxPath, paxLink, paxSize}, key) || strings.HasPrefix(key, paxSparse)
}

// paxRecord is one record of a pax header.
type paxRecord struct{ key, value string }

// paxRecords reads a pax header by its format: "LENGTH KEY=VALUE\n", where LENGTH
// counts the whole record.
func paxRecords(data []byte) ([]paxRecord, error) {
	var out []paxRecord
	for len(data) > 0 {
		digits, _, ok := bytes.Cut(data, []byte(" "))
		n, err := strconv.ParseUint(string(digits), 10, 31)
		if !ok || err != nil || int(n) > len(data) || int(n) < len(digits)+2 || data[n-1] != '\n' {
			return out, fmt.Errorf("record %d is not of the length that it gives", len(out)+1)
		}
		key, value, ok := strings.Cut(string(data[len(digits)+1:n-1]), "=")
		if !ok || key == "" {
			return out, fmt.Errorf("record %d has no key", len(out)+1)
		}
		out = append(out, paxRecord{key, value})
		data = data[n:]
	}
	return out, nil
}

// lastValue returns the value of a key by the rule of pax: the last one counts, and
// an empty one takes the others back.
func lastValue(data []byte, key string) (string, bool) {
	records, _ := paxRecords(data)
	value := ""
	for _, r := range records {
		if r.key == key {
			value = r.value
		}
	}
	return value, value != ""
}

// rustupRecords reads a pax header as the crate does: by lines, up to an empty one,
// each of which is a record if its length is right. sound is false for one that is
// not.
func rustupRecords(data []byte, visit func(r paxRecord, sound bool) (more bool)) {
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if len(line) == 0 {
			return
		}
		digits, rest, ok := strings.Cut(string(line), " ")
		n, err := strconv.ParseUint(strings.TrimPrefix(digits, "+"), 10, 64)
		key, value, hasKey := strings.Cut(rest, "=")
		sound := ok && err == nil && n == uint64(len(line))+1 && hasKey
		if !visit(paxRecord{key, value}, sound) {
			return
		}
	}
}

// rustupValue returns the value that rustup takes: the first one.
func rustupValue(data []byte, key string) (value string, ok bool) {
	rustupRecords(data, func(r paxRecord, sound bool) bool {
		switch {
		case sound && r.key == key:
			value, ok = r.value, true
		case !sound && key == paxSize:
			// A number is not looked for behind a malformed record; a path is.
		default:
			return true
		}
		return false
	})
	return value, ok
}

// pax applies a pax header to h, but for the name, and notes where others differ.
func (t *tarStream) pax(h *tar.Header, data []byte) {
	records, err := paxRecords(data)
	if err != nil {
		t.differs("a malformed pax header of %.200q: %v", h.Name, err)
	}
	if v, ok := lastValue(data, paxLink); ok {
		h.Linkname = v
	}
	if v, ok := lastValue(data, paxSize); ok && v != strconv.FormatInt(h.Size, 10) {
		t.differs("size %.30q in the pax header of %.200q and %d in the header", v, h.Name, h.Size)
	}
	for _, r := range records {
		t.record(h, r)
	}
}

// record applies one pax record that does not change name or content.
func (t *tarStream) record(h *tar.Header, r paxRecord) {
	n, err := strconv.ParseInt(r.value, 10, 64)
	switch {
	case strings.HasPrefix(r.key, paxSparse):
		t.differs("%.100q in the pax header of %.200q: some make a sparse file of it", r.key, h.Name)
	case r.key == "mtime":
		if at, ok := paxTime(r.value); ok {
			h.ModTime = at
		} else {
			t.found.tolerate(ProblemTime, "member %.200q: got time %.100q, which is no number", h.Name, r.value)
		}
	case r.key == "uid" && err == nil:
		h.Uid = int(n)
	case r.key == "gid" && err == nil:
		h.Gid = int(n)
	case r.key == "uname":
		h.Uname = r.value
	case r.key == "gname":
		h.Gname = r.value
	}
}

// paxTime reads seconds with an optional fraction.
func paxTime(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	nano, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 32)
	if err != nil {
		return time.Time{}, false
	}
	if strings.HasPrefix(whole, "-") {
		return time.Unix(sec, -int64(nano)), true
	}
	return time.Unix(sec, int64(nano)), true
}
