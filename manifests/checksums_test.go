package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

func TestChecksums(t *testing.T) {
	t.Parallel()
	sums := map[string]manifests.Hash{"b.tar.xz": {1}, "a": {2}, "a b": {3}}
	text := manifests.FormatChecksums(sums)
	want := "02" + strings.Repeat("00", 31) + "  a\n03" + strings.Repeat("00", 31) + "  a b\n01" + strings.Repeat("00", 31) + "  b.tar.xz\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	got, err := manifests.ParseChecksums(text)
	if diff := cmp.Diff(sums, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	line := strings.SplitAfter(want, "\n")[0]
	for text, problem := range map[string]string{
		line + line:                           `line 2: got "a" for the second time`,
		line + "\n":                           "line 2: parsing checksum file",
		line[:64] + "\n":                      "line 1: got no file name",
		line[:66] + "../a\n":                  "line 1: parsing checksum file",
		line + strings.Repeat(" ", 16<<20):    "got 16777284 bytes",
		line[:66] + strings.Repeat("a", 2000): "line 1: parsing checksum file",
	} {
		if _, err := manifests.ParseChecksums([]byte(text)); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%.80q: got error %v, want %q in it", text, err, problem)
		}
	}
}

// FuzzChecksums: what can be read can be written and read again as the same.
func FuzzChecksums(f *testing.F) {
	f.Add([]byte(strings.Repeat("0a", 32) + "  a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sums, err := manifests.ParseChecksums(data)
		if err != nil {
			return
		}
		again, err := manifests.ParseChecksums(manifests.FormatChecksums(sums))
		if diff := cmp.Diff(sums, again); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	})
}
