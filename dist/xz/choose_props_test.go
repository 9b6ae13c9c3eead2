package xz

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/corpus"
)

func TestPropChooser(t *testing.T) {
	t.Parallel()
	var c propChooser
	for i, tt := range []struct {
		sizes propSizes
		anew  bool
		want  props
	}{
		{propSizes{1000, 900, 1000, 1000}, true, props{4, 0, 0}}, // costs nothing
		{propSizes{900, 1000, 900, 800}, false, props{4, 0, 0}},  // not worth it
		{propSizes{900, 1000, 900, 900}, false, props{4, 0, 0}},
		{propSizes{900, 1000, 900, 700}, false, props{0, 3, 3}}, // by now it is
		{propSizes{800, 800, 800, 800}, false, props{0, 3, 3}},
		{propSizes{9000, 9000, 5000, 9000}, false, props{0, 2, 2}},
	} {
		if diff := cmp.Diff(tt.want, c.next(tt.sizes, tt.anew), cmp.AllowUnexported(props{})); diff != "" {
			t.Errorf("slice %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestBestProps compresses text and then a table, which have slices of their own.
func TestBestProps(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	data := corpus.Mixed(sliceSize)
	for len(data) < 2*sliceSize {
		data = binary.LittleEndian.AppendUint64(data, uint64(len(data))*3+uint64(random.IntN(5)))
		data = binary.LittleEndian.AppendUint64(data, uint64(random.IntN(9))<<32)
	}
	var first []byte
	for _, workers := range []int{1, 3} {
		stream := compress(t, data, WriterConfig{Profile: Best, Workers: workers})
		if first == nil {
			first = stream
		}
		if !bytes.Equal(stream, first) {
			t.Errorf("%d workers write other bytes than one", workers)
		}
	}
	judgeXZ(t, first, data)
	fixed := compress(t, data, WriterConfig{Profile: Best, LC: 3})
	if len(first) >= len(fixed)*99/100 {
		t.Errorf("got %d bytes with chosen properties, want clearly less than the %d without", len(first), len(fixed))
	}
}
