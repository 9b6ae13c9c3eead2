package archive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
)

// variant is an archive with an odd header somewhere.
type variant struct {
	name   string
	format Format
	data   []byte
	// damaged says that the file breaks its own format behind the point where
	// rustup stops to read: rustup takes it, and x rightly does not.
	damaged bool
}

// variantTop and variantComponent name the archive that variants are made of.
const (
	variantTop       = "rustc-1.95.0-x86_64-unknown-linux-gnu"
	variantComponent = "rustc"
)

// rawEntry is one header of a tar stream with its content.
type rawEntry struct {
	header headerBlock
	data   []byte
	keep   bool // the checksum as it is
}

func (e rawEntry) append(b []byte) []byte {
	if !e.keep {
		copy(e.header[sumStart:sumEnd], "        ")
		sum := 0
		for _, c := range e.header {
			sum += int(c)
		}
		copy(e.header[sumStart:sumEnd], fmt.Sprintf("%06o\x00 ", sum))
	}
	b = append(b, e.header[:]...)
	b = append(b, e.data...)
	return append(b, make([]byte, padded(int64(len(e.data)))-int64(len(e.data)))...)
}

// entry returns a ustar or GNU header.
func entry(name string, typeflag byte, mode int, data string, gnu bool) rawEntry {
	var e rawEntry
	copy(e.header[:nameEnd], name)
	copy(e.header[modeStart:], fmt.Sprintf("%07o\x00%07o\x00%07o\x00%011o\x00%011o\x00", mode, 0, 0, len(data), 1776124800))
	e.header[typeAt] = typeflag
	copy(e.header[magicStart:], "ustar\x0000")
	if gnu {
		copy(e.header[magicStart:], "ustar  \x00")
	}
	e.data = []byte(data)
	return e
}

// variantEntries are the members of a small component.
func variantEntries(gnu bool) []rawEntry {
	top, c := variantTop, variantTop+"/"+variantComponent
	dir := func(name string) rawEntry { return entry(name, tarDir, 0o755, "", gnu) }
	file := func(name string, mode int, data string) rawEntry { return entry(name, tarRegular, mode, data, gnu) }
	return []rawEntry{
		dir(top), dir(c), dir(c + "/bin"), dir(c + "/share"),
		file(top+"/components", 0o644, variantComponent+"\n"),
		file(top+"/rust-installer-version", 0o644, "3\n"),
		file(top+"/version", 0o644, "1.95.0 (59807616e 2026-04-14)"),
		file(c+"/manifest.in", 0o644, "file:bin/rustc\nfile:share/a.txt\nfile:share/b.txt\n"),
		file(c+"/bin/rustc", 0o755, "#!/bin/sh\necho rustc 1.95.0\n"),
		file(c+"/share/a.txt", 0o644, strings.Repeat("a\n", 700)),
		file(c+"/share/b.txt", 0o644, "b\n"),
	}
}

func stream(entries []rawEntry, end int) []byte {
	var b []byte
	for _, e := range entries {
		b = e.append(b)
	}
	return append(b, make([]byte, end)...)
}

// numbersOf are values for numeric fields, some of which only some readers take.
var numbersOf = []string{
	"", "0", "+0000644", "  644", "644 ", " 644\x00xx", "0000644", "0000755\x00", "\t644", "0o644", "-1", "8", "abc", "644z", "\xff\xff\xff\xff", "\x80\x00\x00\x00\x00\x00\x00\x00",
	"\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", "7777777", "\x00\x00\x00", "6\x004",
}

// textsOf are values for text fields.
var textsOf = []string{"", "root", "a\x00b", "\xff\xfe", "../x", "/abs", strings.Repeat("n", 155), "./", "x/y"}

// recordsOf are pax records of all kinds.
var recordsOf = []string{
	record("comment", "x"), record("mtime", "1776124800.5"), record("mtime", "x"), record("mtime", ""), record("uid", "0"), record("uid", "abc"),
	record("path", variantTop+"/rustc/share/b.txt"), record("path", ""), record("path", "evil"), record("path", "../evil"), record("path", variantTop+"/rustc/share/c.txt"),
	record("size", "2"), record("size", "0"), record("size", "9"), record("size", "x"), record("linkpath", "x"), record("SCHILY.xattr.user.a", "b"),
	record("hdrcharset", "BINARY"), record("GNU.sparse.major", "1"), record("comment", "two\nlines"), "9 a=b\n", "99 comment=x\n", "x comment=x\n", "10 comment\n",
	"6 =ab\n", "\n", "+11 path=b\n", "", record("uname", "root"), record("atime", "1"),
}

// record returns a pax record.
func record(key, value string) string {
	n := len(key) + len(value) + 3
	for n < len(key)+len(value)+2+len(fmt.Sprint(n)) {
		n++
	}
	n = len(key) + len(value) + 3
	for len(fmt.Sprintf("%d %s=%s\n", n, key, value)) != n {
		n++
	}
	return fmt.Sprintf("%d %s=%s\n", n, key, value)
}

// tarVariant changes a header of the tar stream, or adds some.
func tarVariant(r *rand.Rand) (string, []byte) {
	entries := variantEntries(r.IntN(2) == 0)
	pick := func(of []string) string { return of[r.IntN(len(of))] }
	at := 4 + r.IntN(len(entries)-4)
	if r.IntN(3) == 0 {
		at = len(entries) - 1
	}
	name := ""
	end := 2 * tarBlock
	switch kind := r.IntN(10); kind {
	case 0, 1, 2: // a field
		fields := []struct {
			name       string
			start, end int
			values     []string
		}{
			{"name", 0, nameEnd, textsOf}, {"mode", modeStart, uidStart, numbersOf}, {"uid", uidStart, gidStart, numbersOf}, {"gid", gidStart, sizeStart, numbersOf},
			{"size", sizeStart, timeStart, numbersOf}, {"mtime", timeStart, sumStart, numbersOf}, {"type", typeAt, linkStart, []string{"\x00", "1", "2", "5", "6", "7", "S", "V", "g", "x", "L", "Z"}},
			{"link", linkStart, linkEnd, textsOf}, {"magic", magicStart, userStart, []string{"ustar\x0000", "ustar  \x00", "", "ustar\x00  ", "USTAR\x0000"}},
			{"uname", userStart, groupStart, textsOf}, {"dev", groupEnd, prefixStart, numbersOf}, {"prefix", prefixStart, prefixEnd, textsOf},
		}
		f := fields[r.IntN(len(fields))]
		v := pick(f.values)
		field := entries[at].header[f.start:f.end]
		clear(field)
		copy(field, v)
		name = fmt.Sprintf("member %d, %s %q", at, f.name, v)
	case 3: // the checksum
		v := pick(append([]string{"0000000"}, numbersOf...))
		entries[at].keep = true
		copy(entries[at].header[sumStart:sumEnd], v+"\x00\x00\x00\x00\x00\x00\x00\x00")
		name = fmt.Sprintf("member %d, checksum %q", at, v)
	case 4: // the end
		end = []int{0, 100, 512, 600, 1024, 4096}[r.IntN(6)]
		name = fmt.Sprintf("%d zeros at the end", end)
	default: // special headers before a member, or at the end
		at := 4 + r.IntN(len(entries)-3)
		for range 1 + r.IntN(2) {
			e := specialEntry(r, pick)
			name += fmt.Sprintf("before %d: type %c %.80q; ", at, e.header[typeAt], e.data)
			entries = slices.Insert(entries, at, e)
		}
	}
	return name, stream(entries, end)
}

// specialEntry returns a header that describes another member.
func specialEntry(r *rand.Rand, pick func([]string) string) rawEntry {
	gnu := r.IntN(2) == 0
	switch r.IntN(5) {
	case 0:
		return entry("././@LongLink", tarLongName, 0o644, pick([]string{
			variantTop + "/rustc/share/b.txt\x00", variantTop + "/rustc/share/b.txt", variantTop + "/rustc/share/\x00b.txt\x00", "\x00", "", "evil\x00", variantTop + "/rustc/share/b.txt\x00\x00",
		}), gnu)
	case 1:
		return entry("././@LongLink", tarLongLink, 0o644, pick([]string{"x\x00", ""}), gnu)
	case 2:
		return entry(pick([]string{"pax_global_header", "././@PaxHeader", "/tmp/GlobalHead.1.1", "a/b"}), 'g', 0o644, record("comment", "0123")+pick(recordsOf), gnu)
	}
	data := ""
	for range 1 + r.IntN(3) {
		data += pick(recordsOf)
	}
	return entry(pick([]string{"././@PaxHeader", "PaxHeaders.0/b.txt"}), 'x', 0o644, data, gnu)
}

// gzVariant packs data as gzip with an odd header or end.
func gzVariant(r *rand.Rand, data []byte) (string, []byte, bool) {
	flags := byte(r.IntN(32))
	method, extra, name := byte(8), r.IntN(2000), strings.Repeat("n", []int{0, 5, 511, 512, 600, 65535, 65536}[r.IntN(7)])
	if r.IntN(4) == 0 {
		flags |= byte(1+r.IntN(7)) << 5
	}
	if r.IntN(10) == 0 {
		method = byte(r.IntN(16))
	}
	b := append([]byte{0x1f, 0x8b, method, flags}, byte(r.IntN(256)), 0, 0, 0, byte(r.IntN(5)), byte(r.IntN(256)))
	if flags&gzExtra != 0 {
		b = binary.LittleEndian.AppendUint16(b, uint16(extra))
		b = append(b, make([]byte, extra)...)
	}
	for _, f := range []byte{gzName, gzComment} {
		if flags&f != 0 {
			b = append(append(b, name...), 0)
		}
	}
	wrong := r.IntN(6) == 0
	if flags&gzHeaderCRC != 0 {
		sum := uint16(crc32.ChecksumIEEE(b))
		if wrong {
			sum++
		}
		b = binary.LittleEndian.AppendUint16(b, sum)
	}
	member := func(data []byte) []byte {
		var z bytes.Buffer
		w, _ := flate.NewWriter(&z, r.IntN(3))
		w.Write(data)
		w.Close()
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(z.Bytes(), crc32.ChecksumIEEE(data)), uint32(len(data)))
	}
	what := fmt.Sprintf("gz, method %d, flags %#x, name of %d, wrong sum %t", method, flags, len(name), wrong)
	switch r.IntN(6) {
	case 0:
		return what + ", zeros behind", append(append(b, member(data)...), make([]byte, 1+r.IntN(1000))...), false
	case 1:
		return what + ", two members", append(append(append(b, member(data[:1500])...), 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), member(data[1500:])...), false
	case 2:
		m := member(data)
		m[len(m)-1-r.IntN(8)] ^= 1
		return what + ", wrong trailer", append(b, m...), true
	}
	return what, append(b, member(data)...), false
}

// zstVariant packs data as zstd: raw blocks in frames with all kinds of headers.
func zstVariant(r *rand.Rand, data []byte) (string, []byte, bool) {
	var b []byte
	what := "zst"
	for part := range slices.Chunk(data, 1+len(data)/(1+r.IntN(4))) {
		if r.IntN(3) == 0 {
			what += ", skippable"
			b = append(b, 0x50|byte(r.IntN(16)), 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3)
		}
		descriptor := byte(r.IntN(4)) << 6 // size of the content size
		if r.IntN(2) == 0 {
			descriptor |= 1 << 5 // single segment
		}
		descriptor |= []byte{0, 0, 0, 0, 0, 0, 1 << 3, 1 << 4, 1, 2}[r.IntN(10)] // reserved, unused, dictionary
		window := byte(r.IntN(19)) << 3
		what += fmt.Sprintf(", frame %#x window %#x", descriptor, window)
		b = append(b, 0x28, 0xb5, 0x2f, 0xfd, descriptor)
		if descriptor&(1<<5) == 0 {
			b = append(b, window)
		}
		b = append(b, make([]byte, []int{0, 1, 2, 4}[descriptor&3])...)
		size := uint64(len(part))
		switch descriptor >> 6 {
		case 0:
			if descriptor&(1<<5) != 0 {
				b = append(b, byte(size))
			}
		case 1:
			b = binary.LittleEndian.AppendUint16(b, uint16(size-256))
		case 2:
			b = binary.LittleEndian.AppendUint32(b, uint32(size))
		case 3:
			b = binary.LittleEndian.AppendUint64(b, size)
		}
		for block := range slices.Chunk(part, 512) {
			h := uint32(len(block)) << 3
			b = append(b, byte(h), byte(h>>8), byte(h>>16))
			b = append(b, block...)
		}
		b = append(b, 1, 0, 0) // an empty last block
	}
	if r.IntN(4) == 0 {
		what += ", skippable behind"
		b = append(b, 0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0)
	}
	return what, b, strings.Contains(what, "frame 0x2") || strings.Contains(what, "frame 0x3") // a content size of one byte is too small here
}

// xzVariant packs data as xz: LZMA2 chunks without compression in blocks with all
// kinds of headers.
func xzVariant(r *rand.Rand, data []byte) (string, []byte, bool) {
	check := []byte{0, 1, 4, 10}[r.IntN(4)]
	var blocks, index []byte
	what := fmt.Sprintf("xz, check %d", check)
	count := 0
	for part := range slices.Chunk(data, 1+len(data)/(1+r.IntN(3))) {
		var lzma []byte
		for i, chunk := range slices.Collect(slices.Chunk(part, 1000)) {
			lzma = append(lzma, 2, byte((len(chunk)-1)>>8), byte(len(chunk)-1))
			if i == 0 {
				lzma[0] = 1
			}
			lzma = append(lzma, chunk...)
		}
		lzma = append(lzma, 0)
		filters, text := xzFilters(r)
		what += text
		header := []byte{0, byte(len(filters) - 1)}
		if r.IntN(2) == 0 {
			header[1] |= 0x40
			header = binary.AppendUvarint(header, uint64(len(lzma)))
		}
		if r.IntN(2) == 0 {
			header[1] |= 0x80
			header = binary.AppendUvarint(header, uint64(len(part)))
		}
		for _, f := range filters {
			header = append(header, f...)
		}
		header = append(header, make([]byte, -len(header)&3)...)
		header[0] = byte(len(header) / 4)
		header = binary.LittleEndian.AppendUint32(header, crc32.ChecksumIEEE(header))
		sum := make([]byte, []int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[check])
		switch check {
		case 1:
			binary.LittleEndian.PutUint32(sum, crc32.ChecksumIEEE(part))
		case 4:
			binary.LittleEndian.PutUint64(sum, crc64.Checksum(part, crc64.MakeTable(crc64.ECMA)))
		case 10:
			digest := digestOf(part)
			copy(sum, digest[:])
		}
		index = binary.AppendUvarint(index, uint64(len(header)+len(lzma)+len(sum)))
		index = binary.AppendUvarint(index, uint64(len(part)))
		blocks = append(append(blocks, header...), lzma...)
		blocks = append(append(blocks, make([]byte, -len(lzma)&3)...), sum...)
		count++
	}
	index = append(binary.AppendUvarint([]byte{0}, uint64(count)), index...)
	index = append(index, make([]byte, -len(index)&3)...)
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	b := append([]byte("\xFD7zXZ\x00"), 0, check)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte{0, check}))
	b = append(append(b, blocks...), index...)
	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), 0, check)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(footer))
	b = append(append(b, footer...), "YZ"...)
	if n := r.IntN(8); n < 5 {
		what += fmt.Sprintf(", %d zeros behind", n)
		b = append(b, make([]byte, n)...)
	}
	return what, b, false
}

// xzFilters returns a chain of filters that leave text as it is.
func xzFilters(r *rand.Rand) (filters [][]byte, text string) {
	if r.IntN(2) == 0 {
		id := []byte{4, 4, 10, 11}[r.IntN(4)]
		filters = append(filters, [][]byte{{id, 0}, {id, 4, 0, 0, 0, 0}, {id, 4, 16, 0, 0, 0}, {id, 4, 1, 0, 0, 0}, {id, 1, 0}}[r.IntN(5)])
		text = fmt.Sprintf(", filter %x", filters[0])
	}
	code := byte(r.IntN(22))
	return append(filters, []byte{0x21, 1, code}), fmt.Sprintf("%s, dictionary %d", text, code)
}

// makeVariant returns the variant of a seed.
func makeVariant(seed uint64) variant {
	r := rand.New(rand.NewPCG(seed, 0))
	if seed%2 == 0 {
		name, data := tarVariant(r)
		format := []Format{GZ, XZ, Zst}[r.IntN(3)]
		return variant{name: fmt.Sprintf("%d: %s: %s", seed, format, name), format: format, data: plainPack(format, data)}
	}
	data := stream(variantEntries(true), 2*tarBlock)
	v := variant{format: []Format{GZ, XZ, Zst}[r.IntN(3)]}
	pack := map[Format]func(*rand.Rand, []byte) (string, []byte, bool){GZ: gzVariant, XZ: xzVariant, Zst: zstVariant}[v.format]
	v.name, v.data, v.damaged = pack(r, data)
	v.name = fmt.Sprintf("%d: %s", seed, v.name)
	return v
}

// names of formats in a channel manifest.
func keyPrefix(f Format) string { return cmp.Or(map[Format]string{XZ: "xz_", Zst: "zst_"}[f], "") }
