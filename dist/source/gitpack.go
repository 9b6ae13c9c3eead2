package source

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"

	"x.go/dist"
)

// findInPack looks an object up in the index of a pack, version 2 (gitformat-pack(5)),
// and returns its offset.
func findInPack(idx, hash string) (off int64, ok bool, err error) {
	want, err := hex.DecodeString(hash)
	if err != nil {
		return 0, false, err
	}
	f, err := dist.OpenFile(idx)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	const fanout = 8
	at := func(off int64, n int) []byte {
		b := make([]byte, n)
		if _, rerr := f.ReadAt(b, off); rerr != nil && err == nil {
			err = rerr
		}
		return b
	}
	if string(at(0, 8)) != "\xfftOc\x00\x00\x00\x02" {
		return 0, false, errors.Join(err, errors.New("got another format than version 2"))
	}
	number := func(off int64) int64 { return int64(binary.BigEndian.Uint32(at(off, 4))) }
	first, last, total := int64(0), number(fanout+4*int64(want[0])), number(fanout+4*255)
	if want[0] > 0 {
		first = number(fanout + 4*int64(want[0]-1))
	}
	if err != nil || first > last || last > total || total > maxIndex/24 {
		return 0, false, errors.Join(err, errors.New("got a malformed table"))
	}
	hashes := int64(fanout + 4*256)
	i := first + int64(sort.Search(int(last-first), func(i int) bool {
		return bytes.Compare(at(hashes+20*(first+int64(i)), 20), want) >= 0
	}))
	if i == last || !bytes.Equal(at(hashes+20*i, 20), want) {
		return 0, false, err
	}
	offsets := hashes + total*24 // behind the hashes and the checksums
	if off = number(offsets + 4*i); off>>31 != 0 {
		off = int64(binary.BigEndian.Uint64(at(offsets+4*total+8*(off&(1<<31-1)), 8)) & (1<<62 - 1))
	}
	return off, err == nil, err
}

// kinds of objects in a pack.
const (
	kindCommit   = 1
	kindOfsDelta = 6
	kindRefDelta = 7
)

// readPacked reads the commit at an offset of a pack, whose path is without extension.
func readPacked(pack string, off int64) ([]byte, error) {
	f, err := dist.OpenFile(pack + ".pack")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var deltas [][]byte
	const deepest = 4095 // git's own limit of pack.depth
	for range deepest + 1 {
		kind, content, base, err := packedObject(f, off, pack+".idx")
		if err != nil {
			return nil, err
		}
		switch kind {
		case kindCommit:
			for _, delta := range slices.Backward(deltas) {
				if content, err = applyDelta(content, delta); err != nil {
					return nil, err
				}
			}
			return content, nil
		case kindOfsDelta, kindRefDelta:
			deltas, off = append(deltas, content), base
		default:
			return nil, fmt.Errorf("got an object of kind %d, want a commit", kind)
		}
	}
	return nil, errors.New("git has stored the commit as too many differences")
}

// packedObject reads one object of a pack. Of a difference, base is the offset of what
// it is to.
func packedObject(f *os.File, off int64, idx string) (kind byte, content []byte, base int64, err error) {
	in := bufio.NewReader(io.NewSectionReader(f, off, maxCommit))
	b, err := in.ReadByte()
	if err != nil {
		return 0, nil, 0, err
	}
	kind = b >> 4 & 7
	for b&0x80 != 0 { // the size, which inflating tells, too
		if b, err = in.ReadByte(); err != nil {
			return 0, nil, 0, err
		}
	}
	switch kind {
	case kindCommit:
	case kindOfsDelta:
		back, err := backOffset(in)
		if base = off - back; err != nil || back <= 0 || base <= 0 {
			return 0, nil, 0, errors.Join(err, errors.New("got a difference to what is not before it"))
		}
	case kindRefDelta:
		var hash [20]byte
		if _, err := io.ReadFull(in, hash[:]); err != nil {
			return 0, nil, 0, err
		}
		var ok bool
		if base, ok, err = findInPack(idx, hex.EncodeToString(hash[:])); err != nil || !ok {
			return 0, nil, 0, errors.Join(err, errors.New("got a difference to what the pack does not have"))
		}
	default:
		return kind, nil, 0, nil
	}
	content, err = inflate(in)
	return kind, content, base, err
}

// backOffset reads how far before an object its base is.
func backOffset(in io.ByteReader) (int64, error) {
	b, err := in.ReadByte()
	n := int64(b & 0x7f)
	for err == nil && b&0x80 != 0 {
		if b, err = in.ReadByte(); n > 1<<48 {
			return 0, errors.New("got an offset that is too large")
		}
		n = (n+1)<<7 | int64(b&0x7f)
	}
	return n, err
}

// errDelta is the error for a difference that does not fit.
var errDelta = errors.New("git's difference to another commit is malformed")

// applyDelta returns what a difference makes of base: copies of its ranges and new bytes.
func applyDelta(base, delta []byte) ([]byte, error) {
	from, n := binary.Uvarint(delta)
	size, m := binary.Uvarint(delta[max(n, 0):])
	if n <= 0 || m <= 0 || from != uint64(len(base)) || size > maxCommit {
		return nil, errDelta
	}
	delta = delta[n+m:]
	out := make([]byte, 0, size)
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		if op&0x80 == 0 { // so many new bytes
			if op == 0 || int(op) > len(delta) {
				return nil, errDelta
			}
			out, delta = append(out, delta[:op]...), delta[op:]
			continue
		}
		var args [7]int // four bytes of the offset, three of the length
		for i := range args {
			if op>>i&1 != 0 {
				if len(delta) == 0 {
					return nil, errDelta
				}
				args[i], delta = int(delta[0]), delta[1:]
			}
		}
		at := args[0] | args[1]<<8 | args[2]<<16 | args[3]<<24
		length := cmp.Or(args[4]|args[5]<<8|args[6]<<16, 0x10000)
		if at > len(base) || length > len(base)-at || len(out)+length > maxCommit {
			return nil, errDelta
		}
		out = append(out, base[at:at+length]...)
	}
	if uint64(len(out)) != size {
		return nil, errDelta
	}
	return out, nil
}
