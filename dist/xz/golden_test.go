package xz

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/corpus"
)

// The bytes of each profile are pinned, so that another output is a decision.
// To renew: X_UPDATE=1 go test -run GoldenBytes ./dist/xz
func TestGoldenBytes(t *testing.T) {
	t.Parallel()
	const golden = "testdata/golden.json"
	data := append(corpus.Mixed(1_000_000), corpus.RepeatedPages()...)
	got := map[string]string{}
	for _, p := range profiles {
		stream := compress(t, data, WriterConfig{Profile: p})
		got[string(p)] = fmt.Sprintf("%d %x", len(stream), sha256.Sum256(stream))
	}
	stream := compress(t, branchy(500_000), WriterConfig{Profile: Fast, BCJ: BCJX86, BlockSize: 300_000, Check: CheckSHA256})
	got["fast, x86, blocks"] = fmt.Sprintf("%d %x", len(stream), sha256.Sum256(stream))
	if os.Getenv("X_UPDATE") != "" {
		text, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
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
	data := corpus.Mixed(600_000)
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
