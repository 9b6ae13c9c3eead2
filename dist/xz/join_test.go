package xz

import (
	"bytes"
	"strings"
	"testing"

	"x.go/tests/corpus"
)

// TestJoin joins streams that were compressed apart: the result is what one Writer
// makes of the whole with the same blocks.
func TestJoin(t *testing.T) {
	t.Parallel()
	const block = 100_000
	data := corpus.Mixed(3*block + 12_345)
	for _, c := range []WriterConfig{
		{Profile: Fast, BlockSize: block}, {Profile: Best, BlockSize: block, Check: CheckSHA256},
		{Profile: Balanced, BlockSize: block, Check: CheckNone, BCJ: BCJX86},
	} {
		for _, cuts := range [][]int{{}, {block}, {2 * block}, {block, 2 * block, 3 * block}} {
			var parts []Part
			from := 0
			for _, to := range append(cuts, len(data)) {
				p := compress(t, data[from:to], c)
				parts = append(parts, Part{bytes.NewReader(p), int64(len(p))})
				from = to
			}
			var got bytes.Buffer
			if err := Join(&got, parts...); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), compress(t, data, c)) {
				t.Errorf("%+v cut at %v: got other bytes than of the whole", c, cuts)
			}
			judgeXZ(t, got.Bytes(), data)
		}
	}
}

func TestJoinErrors(t *testing.T) {
	t.Parallel()
	good := compress(t, corpus.Mixed(5000), WriterConfig{Profile: Fast})
	other := compress(t, corpus.Mixed(5000), WriterConfig{Profile: Fast, Check: CheckCRC32})
	for name, tt := range map[string]struct {
		second []byte
		want   string
	}{
		"cut":           {good[:len(good)-4], "no stream footer"},
		"trailing":      {append(bytes.Clone(good), 0, 0, 0, 0), "no stream footer"},
		"empty":         {nil, "no stream footer"},
		"two streams":   {append(bytes.Clone(good), good...), "bytes before the stream"},
		"other check":   {other, "got check CRC32, want CRC64"},
		"damaged index": {func() []byte { b := bytes.Clone(good); b[len(b)-17] ^= 1; return b }(), "index"},
	} {
		err := Join(&bytes.Buffer{}, Part{bytes.NewReader(good), int64(len(good))}, Part{bytes.NewReader(tt.second), int64(len(tt.second))})
		if err == nil || !strings.Contains(err.Error(), "part 1: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}
