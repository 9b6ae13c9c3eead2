package xz

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// TestMatchUpToTheEndOfABlock has a block whose last four bytes were there
// before, and in between four others that share their hash of four bytes: the
// nearest match then comes from the hash of three and ends where the block does.
func TestMatchUpToTheEndOfABlock(t *testing.T) {
	last := []byte("abcd")
	want := hash4(binary.LittleEndian.Uint32(last))
	var twin []byte
	for v := uint32(1); twin == nil; v++ {
		if hash4(v) == want && hash3(v) != hash3(binary.LittleEndian.Uint32(last)) {
			twin = binary.LittleEndian.AppendUint32(nil, v)
		}
	}
	data := bytes.Join([][]byte{last, []byte("--------"), twin, []byte("........"), last}, nil)
	var out bytes.Buffer
	w, err := NewWriter(&out, WriterConfig{Profile: Fast})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&out, ReaderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %q, %v, want %q", got, err, data)
	}
}
