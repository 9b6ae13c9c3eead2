package verify

import (
	"os"
	"path/filepath"
	"testing"

	"x.go/manifests"
	"x.go/tests/testenv"
)

// What will be public in place of what lies on disk is what is judged.
func TestPublic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const name = "channel-rust-stable"
	m := func(date string) []byte {
		return []byte("manifest-version = \"2\"\ndate = \"" + date + "\"\n[pkg.rust]\nversion = \"1.95.0\"\n[pkg.rust.target.x86_64-unknown-linux-gnu]\navailable = false\n")
	}
	put := func(name string, data []byte) map[string][]byte {
		return map[string][]byte{name: data, name + manifests.ChecksumExt: manifests.FormatChecksum(manifests.HashOf(data), name)}
	}
	write := func(files map[string][]byte) {
		for name, data := range files {
			testenv.Must(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	write(put(name+".toml", m("2026-04-16")))
	write(put(name+"-date.txt", []byte("2026-04-16")))
	public := put(name+".toml", m("2026-04-17"))
	for _, tt := range []struct {
		public map[string][]byte
		want   int // failures of the text with the day
	}{{nil, 0}, {public, 1}, {map[string][]byte{name + ".toml": m("2026-04-16"), name + "-date.txt": []byte("2026-04-17")}, 2}} {
		r, err := Run(t.Context(), Options{Inputs: []string{dir}, Groups: []Group{Channel}, Public: tt.public})
		testenv.Must(t, err)
		got := 0
		for _, c := range r.Checks {
			if c.Name == channelSide && c.Status == Fail {
				got += max(1, len(c.Findings))
			}
		}
		if got != tt.want {
			t.Errorf("%d texts: got %d failures, want %d: %+v", len(tt.public), got, tt.want, r.Checks)
		}
	}
}
