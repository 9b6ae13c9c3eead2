package xz

import (
	"encoding/binary"
	"math/bits"
)

// The branch filters turn the relative addresses of calls into absolute ones,
// so that calls of one function look the same. What counts as a call is part
// of the format and is defined by the implementations in the LZMA SDK and
// liblzma; the tests compare with the xz program.

// BCJ is a branch filter: it makes machine code of one architecture compress
// better. The zero value is none.
type BCJ uint8

// The branch filters.
const (
	BCJNone BCJ = iota
	BCJX86
	BCJARM64
	BCJAuto // x86 or none, block by block, whichever makes a sample smaller
)

// branches are the filter ids of each BCJ.
var branches = [...]uint64{BCJNone: 0, BCJX86: filterX86, BCJARM64: filterARM64, BCJAuto: 0}

// x86 filters CALL and JMP with 32-bit operands (opcodes E8 and E9).
//
// An operand is converted if its top byte looks like a sign, 00 or FF. As an
// opcode byte may be part of another instruction's operand, the filter looks
// at those opcodes among the last three bytes that it left alone: more than
// one, or one whose own operand has a sign byte, forbids the conversion.
type x86 struct {
	ip     uint32 // address of the first byte of the next apply
	last   uint32 // address of the last opcode
	alone  uint32 // bit k: an opcode left alone k bytes before the last
	signs  uint32 // those of alone whose operand's top byte is a sign
	encode bool
}

// x86Size is the length of an instruction, opcode and operand.
const x86Size = 5

func newX86(ip uint32, encode bool) *x86 {
	return &x86{ip: ip, last: ip - x86Size, encode: encode}
}

func isSign(b byte) bool { return b == 0 || b == 0xFF }

func (f *x86) apply(b []byte) int {
	if f.ip-f.last > x86Size {
		f.last = f.ip - x86Size
	}
	i := 0
	for i+x86Size <= len(b) {
		if n := beforeCall(b[i : len(b)-x86Size+1]); n > 0 {
			i += n
			continue
		}
		at := f.ip + uint32(i)
		gap := at - f.last
		f.last = at
		f.alone = f.alone << gap & 0xE
		f.signs = f.signs << gap & 0xE
		sign := isSign(b[i+4])
		if sign && bits.OnesCount32(f.alone) <= 1 && f.signs == 0 {
			f.convert(b[i+1:i+x86Size], at+x86Size)
			f.alone, f.signs = 0, 0
			i += x86Size
			continue
		}
		f.alone |= 1
		if sign {
			f.signs |= 1
		}
		i++
	}
	f.ip += uint32(i)
	return i
}

// beforeCall is how many bytes b has before an opcode E8 or E9, or at all.
func beforeCall(b []byte) int {
	const lowBits, highBits = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(b); n += 8 {
		// The lowest zero byte of v, an opcode, is the first that borrows.
		v := binary.LittleEndian.Uint64(b[n:])&^lowBits ^ lowBits*0xE8
		if borrows := (v - lowBits) &^ v & highBits; borrows != 0 {
			return n + bits.TrailingZeros64(borrows)/8
		}
	}
	for n < len(b) && b[n]&0xFE != 0xE8 {
		n++
	}
	return n
}

// convert changes the operand of the instruction that ends at ip. If an opcode
// was left alone k bytes before, the result must not look like a sign to it;
// then the low bytes are turned over and the conversion done again, which the
// inverse filter does too.
func (f *x86) convert(operand []byte, ip uint32) {
	if !f.encode {
		ip = -ip
	}
	v := binary.LittleEndian.Uint32(operand) + ip
	if f.alone != 0 {
		k := bits.TrailingZeros32(f.alone)
		for isSign(byte(v >> (24 - 8*k))) {
			v ^= 1<<(32-8*k) - 1
			v += ip
		}
	}
	binary.LittleEndian.PutUint32(operand, v&0xFFFFFF|-(v>>24&1)<<24)
}

// arm64 filters BL, and ADRP within 512 MiB.
type arm64 struct {
	pc     uint32
	encode bool
}

func (f *arm64) apply(b []byte) int {
	n := len(b) &^ 3
	for i := 0; i < n; i += 4 {
		pc := f.pc + uint32(i)
		v := binary.LittleEndian.Uint32(b[i:])
		switch {
		case v>>26 == 0x25: // BL
			v = 0x25<<26 | (v+f.signed(pc>>2))&0x03FFFFFF
		case v&0x9F000000 == 0x90000000: // ADRP
			page := v>>29&3 | v>>3&0x001FFFFC
			if (page+0x00020000)&0x001C0000 != 0 {
				continue
			}
			page += f.signed(pc >> 12)
			v = v&0x9000001F | page&3<<29 | page&0x0003FFFC<<3 | -(page&0x00020000)&0x00E00000
		default:
			continue
		}
		binary.LittleEndian.PutUint32(b[i:], v)
	}
	f.pc += uint32(n)
	return n
}

// signed is v when encoding and -v when decoding.
func (f *arm64) signed(v uint32) uint32 {
	if f.encode {
		return v
	}
	return -v
}
