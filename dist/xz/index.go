package xz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
)

// indexReader reads the fields of an index and sums them up.
type indexReader struct {
	src  *source
	crc  hash.Hash32
	size int64
}

func newIndexReader(src *source) *indexReader { return &indexReader{src: src, crc: crc32.NewIEEE()} }

func (x *indexReader) byte() (byte, error) {
	b, err := x.src.byte()
	if err == nil {
		x.crc.Write([]byte{b})
		x.size++
	}
	return b, err
}

func (x *indexReader) vli() (uint64, error) {
	var b [vliMax]byte
	for i := range b {
		var err error
		if b[i], err = x.byte(); err != nil {
			return 0, err
		}
		if b[i] < 0x80 {
			h := headerReader{b: b[:i+1]}
			return uint64(h.vli()), h.err
		}
	}
	return 0, errVLI
}

// open reads the indicator, which is 0, and the number of records.
func (x *indexReader) open() (count uint64, err error) {
	indicator, err := x.byte()
	if err == nil && indicator != 0 {
		return 0, errors.New("index does not begin with a zero byte")
	}
	if err == nil {
		count, err = x.vli()
	}
	return count, wrapIndex(err)
}

// next reads a record.
func (x *indexReader) next() (s blockSizes, err error) {
	if s.unpadded, err = x.vli(); err == nil {
		s.raw, err = x.vli()
	}
	return s, wrapIndex(err)
}

// finish reads padding and CRC32 after the last record, and returns the size of
// the index in bytes.
func (x *indexReader) finish() (int64, error) {
	for x.size%4 != 0 {
		if b, err := x.byte(); err != nil || b != 0 {
			return 0, cmpErr(err, "index padding is not zero")
		}
	}
	var crc [4]byte
	if err := x.src.full(crc[:]); err != nil {
		return 0, err
	}
	if binary.LittleEndian.Uint32(crc[:]) != x.crc.Sum32() {
		return 0, errors.New("index fails its CRC32")
	}
	return x.size + int64(len(crc)), nil
}

func wrapIndex(err error) error {
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return nil
}

// readIndex reads index and footer of a stream and compares them with what was
// decoded.
func (r *Reader) readIndex() error {
	x := newIndexReader(r.src)
	count, err := x.open()
	if err != nil {
		return err
	}
	if count != r.records.count {
		return fmt.Errorf("index lists %d blocks, want %d", count, r.records.count)
	}
	listed := newIndexHash()
	for range count {
		s, err := x.next()
		if err != nil {
			return err
		}
		listed.add(s)
	}
	if !bytes.Equal(listed.Sum(nil), r.records.Sum(nil)) {
		return errors.New("index does not list the sizes of the blocks")
	}
	size, err := x.finish()
	if err != nil {
		return err
	}
	return r.readFooter(size)
}

// cmpErr is err if there is one, and otherwise an error with text.
func cmpErr(err error, text string) error {
	if err != nil {
		return err
	}
	return errors.New(text)
}

func (r *Reader) readFooter(indexSize int64) error {
	var b [streamFooterSize]byte
	if err := r.src.full(b[:]); err != nil {
		return err
	}
	size, flags, err := parseFooter(b)
	switch {
	case err != nil:
		return err
	case size != indexSize:
		return errors.New("stream footer does not hold the size of the index")
	case flags != [2]byte{0, checks[r.check].id}:
		return errors.New("stream footer has other flags than the header")
	}
	return nil
}

// parseFooter returns the size of the index in bytes and the stream's flags.
func parseFooter(b [streamFooterSize]byte) (indexSize int64, flags [2]byte, err error) {
	body := b[4:10]
	switch {
	case string(b[10:]) != footerMagic:
		err = errors.New("stream footer has no magic bytes")
	case crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(b[:]):
		err = errors.New("stream footer fails its CRC32")
	}
	return (int64(binary.LittleEndian.Uint32(body)) + 1) * 4, [2]byte(body[4:]), err
}
