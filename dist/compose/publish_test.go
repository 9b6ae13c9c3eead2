package compose_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/compose"
	"x.go/tests/testenv"
)

// What signs a channel goes with it, and stays if nothing has changed.
func TestSignaturesGo(t *testing.T) {
	t.Parallel()
	first := write(t, rustc(host), std(host), tool("cargo", "cargo"))
	changed := rustc(host)
	changed.files = append(changed.files, "bin/rustdoc")
	second := write(t, changed, std(host), tool("cargo", "cargo"))
	cargo, compiler := "cargo-1.95.0-"+host+".tar.gz", "rustc-1.95.0-"+host+".tar.gz"
	sides := []string{
		"SHA256SUMS", "SHA256SUMS.asc", "SHA256SUMS.minisig", "channel-rust-stable.toml.asc", "channel-rust-1.95.toml.minisig",
		"channel-rust-stable-provenance.json", "channel-rust-stable-provenance.json.asc", "channel-rust-stable-provenance.json.sha256",
		cargo + ".asc", compiler + ".asc", "channel-rust-stable-date.txt.asc", "channel-rust-nightly.toml.asc",
	}
	out := filepath.Join(t.TempDir(), "dist")
	make := func(dir string) {
		d, err := compose.Make(t.Context(), []string{dir}, compose.MakeOptions{Date: "2026-04-16"})
		testenv.Must(t, err)
		writeDraft(t, d, out)
	}
	left := func() []string {
		return slices.DeleteFunc(testenv.List(t, out), func(name string) bool { return !slices.Contains(sides, name) })
	}
	make(first)
	for _, name := range sides {
		testenv.Must(t, os.WriteFile(filepath.Join(out, name), []byte("signed\n"), 0o644))
	}
	make(first)
	want := slices.Sorted(slices.Values(sides))
	if diff := cmp.Diff(want, left()); diff != "" {
		t.Errorf("nothing has changed: (-want +got)\n%s", diff)
	}
	make(second)
	want = []string{cargo + ".asc", "channel-rust-nightly.toml.asc", "channel-rust-stable-date.txt.asc"}
	if diff := cmp.Diff(want, left()); diff != "" {
		t.Errorf("an archive has changed: (-want +got)\n%s", diff)
	}
	if text := strings.Join(testenv.List(t, out), " "); !strings.Contains(text, compiler+" ") {
		t.Errorf("got %s", text)
	}
}
