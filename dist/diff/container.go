package diff

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// containers finds out why two archives with equal trees are not equal files: the
// order or the times of their members, a field of the tar, or the compression.
func (d *differ) containers(ctx context.Context, a, b archiveFile, left, right *side) error {
	add := func(kind, path, x, y string) {
		d.add(Difference{Kind: kind, In: a.file, Path: path, A: x, B: y})
	}
	for i := range min(len(left.members), len(right.members)) {
		x, y := left.members[i], right.members[i]
		if plainName(archive.Below(x.Name)) != plainName(archive.Below(y.Name)) {
			add("order", "", fmt.Sprintf("member %d is %s", i, x.Name), fmt.Sprintf("member %d is %s", i, y.Name))
			return nil
		}
		if !x.ModTime.Equal(y.ModTime) {
			add("time", x.Name, unixTime(x.ModTime), unixTime(y.ModTime))
			return nil
		}
	}
	compare := firstTarDifference
	if left.top() != right.top() {
		compare = firstHeaderDifference // every name differs
	}
	what, err := compare(ctx, a, b, d.opts.Limits)
	if err != nil {
		return err
	}
	if what != "" {
		add("tar", "", "", what)
		return nil
	}
	x, err := describeContainer(a)
	if err != nil {
		return err
	}
	y, err := describeContainer(b)
	if err != nil {
		return err
	}
	if x == y {
		y += ", other compressed data"
	}
	add("container", "", x, y)
	return nil
}

// unixTime writes seconds since 1970 with the fraction that is there.
func unixTime(t time.Time) string {
	sec, nano, sign := t.Unix(), int64(t.Nanosecond()), ""
	if sec < 0 && nano > 0 { // Nanosecond counts forwards
		sec, nano = sec+1, 1e9-nano
	}
	if t.Unix() < 0 {
		sec, sign = -sec, "-"
	}
	text := fmt.Sprintf("%s%d.%09d", sign, sec, nano)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// describeContainer names the fields of a gzip header, or the streams and
// window of the others.
func describeContainer(f archiveFile) (string, error) {
	file, err := dist.OpenFile(f.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var magic [10]byte
	n, err := file.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	format, _ := archive.SniffFormat(magic[:n])
	if format == manifests.GZ && n == len(magic) {
		// Only the header is read, for the name in it: nothing is decompressed.
		z, err := gzip.NewReader(file)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("gzip: time %d, name %q, level hint %d, OS %d", binary.LittleEndian.Uint32(magic[4:]), z.Name, magic[8], magic[9]), nil
	}
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	c, err := archive.InspectContainer(file, info.Size(), format)
	if err != nil {
		return fmt.Sprintf("%s: %v", format, err), nil
	}
	return fmt.Sprintf("%s: streams %d, decoder memory %s", format, c.Streams, dist.FormatBytes(c.Memory)), nil
}

// tarPair is two tars that are read side by side.
type tarPair struct{ a, b io.ReadCloser }

func openTars(a, b archiveFile, limits archive.Limits) (tarPair, error) {
	ra, err := archive.OpenTar(a.path, limits)
	if err != nil {
		return tarPair{}, err
	}
	rb, err := archive.OpenTar(b.path, limits)
	if err != nil {
		return tarPair{}, errors.Join(err, ra.Close())
	}
	return tarPair{ra, rb}, nil
}

func (p tarPair) close() {
	p.a.Close()
	p.b.Close()
}

// firstTarDifference reads two tars side by side and names the first header
// field or content that differs, or returns "" if all bytes are equal.
func firstTarDifference(ctx context.Context, a, b archiveFile, limits archive.Limits) (string, error) {
	tars, err := openTars(a, b, limits)
	if err != nil {
		return "", err
	}
	defer tars.close()
	var x, y tarBlock
	content := int64(0) // blocks left of the current member
	name := "the start"
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		_, errA := io.ReadFull(tars.a, x[:])
		_, errB := io.ReadFull(tars.b, y[:])
		if errA != nil || errB != nil {
			if errors.Is(errA, io.EOF) && errors.Is(errB, io.EOF) {
				return "", nil
			}
			return "the length of the tar", nil
		}
		if content > 0 {
			content--
			if x != y {
				return "content or padding of " + name, nil
			}
			continue
		}
		if x != (tarBlock{}) {
			name = strconv.Quote(cField(x[:100]))
		}
		if x != y {
			return fmt.Sprintf("header field %s of %s", tarField(x, y), name), nil
		}
		content = x.contentBlocks()
	}
}

// firstHeaderDifference is [firstTarDifference] for tars whose top directories have
// different names. It compares the other fields of each member's own header first.
func firstHeaderDifference(ctx context.Context, a, b archiveFile, limits archive.Limits) (string, error) {
	tars, err := openTars(a, b, limits)
	if err != nil {
		return "", err
	}
	defer tars.close()
	for ctx.Err() == nil {
		x, errA := nextHeader(tars.a)
		y, errB := nextHeader(tars.b)
		if err := errors.Join(errA, errB); err != nil {
			return "", err
		}
		if x == (tarBlock{}) || y == (tarBlock{}) {
			// The members were compared: both end here.
			return "header field name of every member: the top directories have other names", nil
		}
		if field := tarField(x.withoutNames(), y.withoutNames()); field != "" {
			return fmt.Sprintf("header field %s of %q", field, cField(x[:100])), nil
		}
	}
	return "", ctx.Err()
}

// tarBlock is a header, or as much of a member's content.
type tarBlock [512]byte

// contentBlocks counts the blocks that follow a header.
func (x tarBlock) contentBlocks() int64 { return (tarSize(x) + 511) / 512 }

// typeflag says what a header is for.
func (x tarBlock) typeflag() byte { return x[156] }

// withoutNames is a header without what differs if names do: name, prefix, the target
// of a hard link and the checksum.
func (x tarBlock) withoutNames() tarBlock {
	clear(x[:100])
	clear(x[148:156])
	clear(x[345:])
	if x.typeflag() == tar.TypeLink {
		clear(x[157:257])
	}
	return x
}

// nextHeader returns the next member's own header, and reads past its content. Headers
// that only hold a name or records for the next one are passed over. The header is
// zero at the end.
func nextHeader(r io.Reader) (tarBlock, error) {
	for {
		var x tarBlock
		if _, err := io.ReadFull(r, x[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return tarBlock{}, nil
			}
			return tarBlock{}, fmt.Errorf("reading a tar header: %w", err)
		}
		if _, err := io.CopyN(io.Discard, r, x.contentBlocks()*int64(len(x))); err != nil {
			return tarBlock{}, fmt.Errorf("reading past a member: %w", err)
		}
		switch x.typeflag() {
		case tar.TypeGNULongName, tar.TypeGNULongLink, tar.TypeXHeader, tar.TypeXGlobalHeader:
		default:
			return x, nil
		}
	}
}

// tarFields are the fields of a tar header by their ends.
var tarFields = []struct {
	name string
	end  int
}{
	{"name", 100}, {"mode", 108}, {"uid", 116}, {"gid", 124}, {"size", 136}, {"mtime", 148}, {"chksum", 156}, {"typeflag", 157},
	{"linkname", 257}, {"magic", 263}, {"version", 265}, {"uname", 297}, {"gname", 329}, {"devmajor", 337}, {"devminor", 345}, {"prefix", 512},
}

// tarField names the first field that differs. It names the checksum only if no
// other field does: any change of the others changes it.
func tarField(x, y tarBlock) string {
	found, start := "", 0
	for _, f := range tarFields {
		if x, y := x[start:f.end], y[start:f.end]; !bytes.Equal(x, y) && (found == "" || found == "chksum") {
			found = f.name
			if f.name != "chksum" {
				return fmt.Sprintf("%s (%q, %q)", f.name, cField(x), cField(y))
			}
		}
		start = f.end
	}
	return found
}

func cField(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// tarSize reads the size field: octal, or base-256 from 8 GiB on.
func tarSize(h tarBlock) int64 {
	field := h[124:136]
	if field[0]&0x80 != 0 {
		var n int64
		for _, c := range field[4:] {
			n = n<<8 | int64(c)
		}
		return max(n, 0)
	}
	n, err := strconv.ParseInt(strings.Trim(cField(field), " "), 8, 64)
	if err != nil {
		return 0
	}
	return n
}

// firstDifference returns the offset of the first byte that differs, or -1.
func firstDifference(a, b io.Reader) (int64, error) {
	ra, rb := bufio.NewReaderSize(a, 1<<16), bufio.NewReaderSize(b, 1<<16)
	for at := int64(0); ; at++ {
		x, errA := ra.ReadByte()
		y, errB := rb.ReadByte()
		switch {
		case errors.Is(errA, io.EOF) && errors.Is(errB, io.EOF):
			return -1, nil
		case errors.Is(errA, io.EOF) || errors.Is(errB, io.EOF):
			return at, nil
		case errA != nil || errB != nil:
			return 0, errors.Join(errA, errB)
		case x != y:
			return at, nil
		}
	}
}
