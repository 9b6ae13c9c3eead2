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

// readIndex reads index and footer of a stream and compares them with what was
// decoded.
func (r *Reader) readIndex() error {
	x := &indexReader{src: r.src, crc: crc32.NewIEEE()}
	if _, err := x.byte(); err != nil {
		return err
	}
	count, err := x.vli()
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	if count != r.records.count {
		return fmt.Errorf("index lists %d blocks, want %d", count, r.records.count)
	}
	listed := newIndexHash()
	for range count {
		var s blockSizes
		if s.unpadded, err = x.vli(); err == nil {
			s.raw, err = x.vli()
		}
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		listed.add(s)
	}
	if !bytes.Equal(listed.Sum(nil), r.records.Sum(nil)) {
		return errors.New("index does not list the sizes of the blocks")
	}
	for x.size%4 != 0 {
		if b, err := x.byte(); err != nil || b != 0 {
			return cmpErr(err, "index padding is not zero")
		}
	}
	var crc [4]byte
	if err := r.src.full(crc[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(crc[:]) != x.crc.Sum32() {
		return errors.New("index fails its CRC32")
	}
	return r.readFooter(x.size + int64(len(crc)))
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
	body := b[4:10]
	switch {
	case string(b[10:]) != footerMagic:
		return errors.New("stream footer has no magic bytes")
	case crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(b[:]):
		return errors.New("stream footer fails its CRC32")
	case (int64(binary.LittleEndian.Uint32(body))+1)*4 != indexSize:
		return errors.New("stream footer does not hold the size of the index")
	case body[4] != 0 || body[5] != checks[r.check].id:
		return errors.New("stream footer has other flags than the header")
	}
	return nil
}
