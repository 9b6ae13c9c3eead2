package xz

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The bytes of each profile are pinned, so that another output is a decision.
// To renew: go test -run GoldenBytes ./dist/xz, and copy what it reports.
func TestGoldenBytes(t *testing.T) {
	t.Parallel()
	data := corpus(1_000_000)
	got := map[string]string{}
	for _, p := range profiles {
		stream := compress(t, data, WriterConfig{Profile: p})
		got[string(p)] = fmt.Sprintf("%d %x", len(stream), sha256.Sum256(stream))
	}
	stream := compress(t, branchy(500_000), WriterConfig{Profile: Fast, BCJ: BCJX86, BlockSize: 300_000, Check: CheckSHA256})
	got["fast, x86, blocks"] = fmt.Sprintf("%d %x", len(stream), sha256.Sum256(stream))
	if diff := cmp.Diff(goldenBytes, got); diff != "" {
		t.Errorf("size and SHA-256 of the output (-want +got):\n%s", diff)
	}
}

func TestWriterBranchFilters(t *testing.T) {
	t.Parallel()
	data := branchy(200_001)
	for _, bcj := range []BCJ{BCJX86, BCJARM64} {
		for _, p := range profiles {
			c := WriterConfig{Profile: p, BCJ: bcj, BlockSize: 80_001}
			stream := compress(t, data, c)
			judgeXZ(t, stream, data)
			got, err := decompress(stream, ReaderConfig{})
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("filter %d, %s: error %v, equal %v", bcj, p, err, bytes.Equal(got, data))
			}
		}
	}
}

func TestWriterContext(t *testing.T) {
	data := corpus(600_000)
	reason := errors.New("enough")
	for _, p := range profiles {
		ctx, cancel := context.WithCancelCause(t.Context())
		var out bytes.Buffer
		w, err := NewWriterContext(ctx, &out, WriterConfig{Profile: p, BlockSize: 1 << 19})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		cancel(reason)
		if _, err := w.Write(data); !errors.Is(err, reason) {
			t.Errorf("%s: Write after cancel returns %v, want %v", p, err, reason)
		}
		if err := w.Close(); !errors.Is(err, reason) {
			t.Errorf("%s: Close after cancel returns %v, want %v", p, err, reason)
		}
	}
}

var goldenBytes = map[string]string{
	"balanced":          "178000 ca0f0e56fd415db32059f3ba2113492fa93250c56d7fe424bd93ea78606759e1",
	"best":              "177960 7d770ac641bb199f3c40fc6f5cc986a163a95d79d7ba9f08c7df2b02f936c516",
	"fast":              "199452 96e91fb642aa69fa7bfe4580714eff65b9f9ad49a1e556175a5e40320a0f1249",
	"fast, x86, blocks": "208328 4e8ddeda948bb6b34abd220914b414841bc98679584a969cf4f8b8d5a15173d0",
}
