package xz

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
)

// Check is the integrity check a stream carries for each block's content.
// The zero value is CRC64, the default of the xz program.
type Check uint8

// The checks of the format.
const (
	CheckCRC64 Check = iota
	CheckCRC32
	CheckSHA256
	CheckNone // what rust-lang/promote-release writes
)

// checks has each Check's number in a stream's flags, size in bytes and name.
var checks = [...]struct {
	id   byte
	size int
	name string
	new  func() hash.Hash
}{
	CheckCRC64:  {0x04, 8, "CRC64", func() hash.Hash { return crc64.New(crc64Table) }},
	CheckCRC32:  {0x01, 4, "CRC32", func() hash.Hash { return crc32.NewIEEE() }},
	CheckSHA256: {0x0A, 32, "SHA-256", sha256.New},
	CheckNone:   {0x00, 0, "no check", func() hash.Hash { return noHash{} }},
}

var crc64Table = crc64.MakeTable(crc64.ECMA)

// String returns the check's usual name.
func (c Check) String() string {
	if int(c) >= len(checks) {
		return fmt.Sprintf("Check(%d)", uint8(c))
	}
	return checks[c].name
}

// size is the number of bytes the check takes after a block.
func (c Check) size() int { return checks[c].size }

// checkByID finds the Check with a number from a stream's flags.
func checkByID(id byte) (Check, bool) {
	for c := range checks {
		if checks[c].id == id {
			return Check(c), true
		}
	}
	return 0, false
}

// newHash returns a running check. appendSum gives its bytes as stored.
func (c Check) newHash() hash.Hash { return checks[c].new() }

// appendSum appends the stored form of the check that h has run. CRCs are
// little endian in .xz files; hash.Hash makes them big endian.
func (c Check) appendSum(b []byte, h hash.Hash) []byte {
	switch h := h.(type) {
	case hash.Hash32:
		return binary.LittleEndian.AppendUint32(b, h.Sum32())
	case hash.Hash64:
		return binary.LittleEndian.AppendUint64(b, h.Sum64())
	}
	return h.Sum(b)
}

// noHash is the hash of CheckNone: it has no bytes.
type noHash struct{}

func (noHash) Write(p []byte) (int, error) { return len(p), nil }
func (noHash) Sum(b []byte) []byte         { return b }
func (noHash) Reset()                      {}
func (noHash) Size() int                   { return 0 }
func (noHash) BlockSize() int              { return 1 }
