package archive

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/tests/testenv"
)

// TestCoders pins the bytes of each format to the name of its coder. Where a digest
// changes, so must the name: archives of other bytes are kept under it.
func TestCoders(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var content []byte
	for len(content) < 300_000 {
		if n := len(content); n > 1000 && r.IntN(3) > 0 {
			from := r.IntN(n - 200)
			content = append(content, content[from:from+20+r.IntN(180)]...)
			continue
		}
		for range 40 {
			content = append(content, byte(r.IntN(97)))
		}
	}
	want := map[string]string{
		"gz-1 fast": "64176dbb144eb5b1", "gz-1 balanced": "d0d9cbe6666d147c", "gz-1 best": "3c57db39814d6970",
		"xz-2 fast": "77119729dcc40bdf", "xz-2 balanced": "6020394cef80502d", "xz-2 best": "be289318f4165e9b",
		"zst-3 fast": "2cbe1b9f5c945d0d", "zst-3 balanced": "51cbe289028020ac", "zst-3 best": "a840536ec51183c9",
	}
	got := map[string]string{}
	for _, f := range manifests.Formats() {
		for _, p := range []Profile{Fast, Balanced, Best} {
			var out bytes.Buffer
			testenv.Must(t, Writer{Profile: p}.Compress(t.Context(), f, &out, bytes.NewReader(content), int64(len(content))))
			got[Coder(f)+" "+string(p)] = manifests.HashOf(out.Bytes()).String()[:16]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("give the coders of these a new name, and note the new digests (-want +got):\n%s", diff)
	}
}
