package targets

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"strconv"
)

// ParseSpecFile reads a custom target's file, as a release of rustc would. name is
// the file's name without .json, by which rustc calls the target; it need not have
// the form of a triple. The error for a file that rustc does not take is a
// [*RefusedFile]. Whether the fields of a file agree with each other is not checked.
func ParseSpecFile(name string, data []byte, r Release) (*Spec, error) {
	first := json.RawMessage(data)
	if r.Compare(schemaSince) >= 0 {
		if err := checkFile(data, r); err != nil {
			return nil, err
		}
		// rustc reads the first object, and nothing after it.
		if err := json.NewDecoder(bytes.NewReader(data)).Decode(&first); err != nil {
			return nil, err
		}
	}
	s, err := ParseSpec(first)
	if err != nil {
		return nil, err
	}
	return s.named(name, data), nil
}

// Refused returns a spec that stands for a target's file that rustc does not take,
// for a decision that ends with its refusal: s under the file's name.
func (s *Spec) Refused(name string, data []byte) *Spec {
	t := *s
	return t.named(name, data)
}

// named gives a spec the name of its file.
func (s *Spec) named(name string, data []byte) *Spec {
	s.Triple = Triple{name}
	s.shown = name + "-" + strconv.FormatUint(hashString(data), 10)
	return s
}

// NameInMessages returns what rustc's messages call the target: a custom one has
// a hash of its file after the name (TargetTuple::debug_tuple in
// compiler/rustc_target/src/spec/mod.rs).
func (s *Spec) NameInMessages() string {
	if s.shown != "" {
		return s.shown
	}
	return s.Triple.name
}

// hashString is the hash of a str by Rust's DefaultHasher: SipHash-1-3 with an
// all-zero key, over the bytes and an 0xff after them.
func hashString(data []byte) uint64 {
	h := sip{0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573}
	n := len(data) + 1
	for ; len(data) >= 8; data = data[8:] {
		h.word(binary.LittleEndian.Uint64(data))
	}
	var last [8]byte
	end := copy(last[:], data)
	last[end] = 0xff
	if end == 7 {
		h.word(binary.LittleEndian.Uint64(last[:]))
		last = [8]byte{}
	}
	last[7] = byte(n)
	h.word(binary.LittleEndian.Uint64(last[:]))
	h[2] ^= 0xff
	h.round()
	h.round()
	h.round()
	return h[0] ^ h[1] ^ h[2] ^ h[3]
}

type sip [4]uint64

func (h *sip) word(m uint64) {
	h[3] ^= m
	h.round()
	h[0] ^= m
}

func (h *sip) round() {
	h[0] += h[1]
	h[2] += h[3]
	h[1] = bits.RotateLeft64(h[1], 13) ^ h[0]
	h[3] = bits.RotateLeft64(h[3], 16) ^ h[2]
	h[0] = bits.RotateLeft64(h[0], 32)
	h[2] += h[1]
	h[0] += h[3]
	h[1] = bits.RotateLeft64(h[1], 17) ^ h[2]
	h[3] = bits.RotateLeft64(h[3], 21) ^ h[0]
	h[2] = bits.RotateLeft64(h[2], 32)
}
