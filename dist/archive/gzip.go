package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// gzipMembers reads gzip members one by one (RFC 1952). Other gzip readers join
// them silently; rustup reads only the first. It takes the headers that rustup's
// crate flate2 takes: klauspost's reader refuses names of more than 512 bytes, and
// accepts reserved flags.
type gzipMembers struct {
	in      *bufio.Reader
	z       io.ReadCloser
	crc     hash.Hash32
	size    uint32
	single  bool
	members int  // started
	junk    bool // bytes that are neither a gzip member nor zeros follow the last one
	done    bool
}

// Flags of a gzip header.
const (
	gzHeaderCRC = 1 << 1
	gzExtra     = 1 << 2
	gzName      = 1 << 3
	gzComment   = 1 << 4
	gzReserved  = 0xe0
)

// gzText is the longest name or comment that flate2 reads, in bytes.
const gzText = 1<<16 - 1

var errGzipHeader = errors.New("a gzip header is malformed")

func newGzipMembers(r io.Reader, single bool) (*gzipMembers, error) {
	g := &gzipMembers{in: bufio.NewReaderSize(r, 64<<10), single: single, members: 1}
	if err := readGzipHeader(g.in); err != nil {
		return nil, noEOF(err)
	}
	g.z = flate.NewReader(g.in)
	g.crc = crc32.NewIEEE()
	return g, nil
}

// readGzipHeader reads the header of a member. Its error is [io.EOF] if there is no
// byte at all.
func readGzipHeader(in *bufio.Reader) error {
	crc := crc32.NewIEEE()
	r := io.TeeReader(in, crc)
	var b [10]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return err
	}
	flags := b[3]
	switch {
	case b[0] != 0x1f || b[1] != 0x8b:
		return errGzipHeader
	case b[2] != 8:
		return fmt.Errorf("got compression method %d in a gzip header, want 8", b[2])
	case flags&gzReserved != 0:
		return fmt.Errorf("got reserved flags %#x in a gzip header", flags&gzReserved)
	}
	if flags&gzExtra != 0 {
		var size [2]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return noEOF(err)
		}
		if _, err := io.CopyN(io.Discard, r, int64(binary.LittleEndian.Uint16(size[:]))); err != nil {
			return noEOF(err)
		}
	}
	for _, field := range []byte{gzName, gzComment} {
		if flags&field != 0 {
			if err := skipGzipText(r); err != nil {
				return err
			}
		}
	}
	if flags&gzHeaderCRC != 0 {
		want := uint16(crc.Sum32())
		var sum [2]byte
		if _, err := io.ReadFull(r, sum[:]); err != nil {
			return noEOF(err)
		}
		if binary.LittleEndian.Uint16(sum[:]) != want {
			return errors.New("a gzip header fails its checksum")
		}
	}
	return nil
}

// skipGzipText reads to the NUL after a name or comment.
func skipGzipText(r io.Reader) error {
	var b [1]byte
	for range gzText + 1 {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return noEOF(err)
		}
		if b[0] == 0 {
			return nil
		}
	}
	return fmt.Errorf("a name or comment in a gzip header has more than %d bytes", gzText)
}

// Read implements [io.Reader].
func (g *gzipMembers) Read(p []byte) (int, error) {
	for !g.done {
		n, err := g.z.Read(p)
		g.crc.Write(p[:n])
		g.size += uint32(n)
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil // the next call sees it again
		}
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if err := g.trailer(); err != nil {
			return 0, err
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// trailer compares checksum and size at the end of a member.
func (g *gzipMembers) trailer() error {
	var b [8]byte
	if _, err := io.ReadFull(g.in, b[:]); err != nil {
		return noEOF(err)
	}
	if binary.LittleEndian.Uint32(b[:]) != g.crc.Sum32() || binary.LittleEndian.Uint32(b[4:]) != g.size {
		return errors.New("a gzip member fails its checksum")
	}
	return nil
}

// next starts the next member, if there is one. Zeros may follow the last: tapes
// and block devices fill up with them, and gzip and rustup pass over them.
func (g *gzipMembers) next() error {
	zeros, err := g.skipZeros()
	if errors.Is(err, io.EOF) {
		g.done = true
		return nil
	}
	if err != nil {
		return err
	}
	if g.single {
		g.done = true
		return errors.New("data after the end of the gz stream, which rustup does not read: write one stream only")
	}
	if zeros > 0 || readGzipHeader(g.in) != nil {
		g.done, g.junk = true, true
		return nil
	}
	g.members++
	g.crc.Reset()
	g.size = 0
	return g.z.(flate.Resetter).Reset(g.in, nil)
}

// skipZeros passes over zeros. Its error is [io.EOF] at the end of the file.
func (g *gzipMembers) skipZeros() (n int, err error) {
	for ; ; n++ {
		b, err := g.in.ReadByte()
		if err != nil {
			return n, err
		}
		if b != 0 {
			return n, g.in.UnreadByte()
		}
	}
}
