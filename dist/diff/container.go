package diff

import (
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
			add("time", x.Name, strconv.FormatInt(x.ModTime.Unix(), 10), strconv.FormatInt(y.ModTime.Unix(), 10))
			return nil
		}
	}
	if a.stem != b.stem {
		return nil // every name differs: there is no single field to point at
	}
	what, err := firstTarDifference(ctx, a, b, d.opts.Limits)
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

// firstTarDifference reads two tars side by side and names the first header
// field or content that differs, or returns "" if all bytes are equal.
func firstTarDifference(ctx context.Context, a, b archiveFile, limits archive.Limits) (string, error) {
	ra, err := archive.OpenTar(a.path, limits)
	if err != nil {
		return "", err
	}
	defer ra.Close()
	rb, err := archive.OpenTar(b.path, limits)
	if err != nil {
		return "", err
	}
	defer rb.Close()
	var x, y [512]byte
	content := int64(0) // blocks left of the current member
	name := "the start"
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		_, errA := io.ReadFull(ra, x[:])
		_, errB := io.ReadFull(rb, y[:])
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
		if x != [512]byte{} {
			name = strconv.Quote(cField(x[:100]))
		}
		if x != y {
			return fmt.Sprintf("header field %s of %s", tarField(x, y), name), nil
		}
		content = (tarSize(x) + 511) / 512
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
func tarField(x, y [512]byte) string {
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
func tarSize(h [512]byte) int64 {
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
