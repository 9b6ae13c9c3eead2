package optouts_test

import (
	"os"
	"path/filepath"
	"testing"

	"x.go/bootstrap/optouts"
	"x.go/tests/testenv"
)

// Whatever a file holds, findings lie in it, and a fix leaves a file in which the same
// search finds what was left, and nothing more to fix.
func FuzzFile(f *testing.F) {
	for i, text := range []string{
		"[build]\nrustflags = [\"-C\", \"linker-features=-lld\", '-g'] # linkme\n",
		"[target.x86_64-unknown-linux-gnu]\nlinker = \"clang\"\nrustflags = \"-Clink-args='-fuse-ld=lld -z nostart-stop-gc'\"\n",
		"env:\n  RUSTFLAGS: \"-Clinker-features=-lld\" # linkme\nlist:\n- -C\n- link-arg=-z\n- -Clink-arg=nostart-stop-gc\n",
		"x = [ \"-C\" + \"linker-features=-lld\" ] ++ ''${-Clink-self-contained=-linker}''\n",
		"export A=\"-Clink-args=\\\"-fuse-ld=lld -Wl,--threads=1\\\" \\\n -Zgcc-ld=lld\"\n",
		"fn main() { println!(\"cargo::rustc-link-arg=-fuse-ld=lld\"); /* linker */ }\n",
		"\"-Clink-arg=\xff\"\r\n\"-C\r\n\"linker-features=\"-lld'\n",
	} {
		f.Add(uint8(i), []byte(text))
	}
	names := []string{".cargo/config.toml", "Cargo.toml", "a.yml", "flake.nix", "a.sh", "build.rs", "README.md", "bootstrap.toml", ".bazelrc", "a.bat"}
	dir := f.TempDir()
	o := options(f, "1.95.0", "")
	o.Dir, o.Jobs = dir, 1
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		path := filepath.Join(dir, filepath.FromSlash(names[int(which)%len(names)]))
		testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		testenv.Must(t, os.WriteFile(path, data, 0o644))
		defer os.Remove(path)
		r, err := optouts.Run(t.Context(), []string{"."}, o)
		testenv.Must(t, err)
		for _, x := range r.Findings {
			if x.Line < 1 || x.Column < 1 || x.EndLine < x.Line || x.Option == "" || x.Effect == "" {
				t.Fatalf("got %+v", x)
			}
		}
		if _, err := r.SARIF("1", dir); err != nil {
			t.Fatal(err)
		}
		edits := r.Edits()
		for i := range edits {
			testenv.Must(t, edits[i].Write())
		}
		again, err := optouts.Run(t.Context(), []string{"."}, o)
		testenv.Must(t, err)
		if got, want := len(again.Findings), len(r.Findings)-r.Fixable(); got != want {
			t.Fatalf("after the fix: got %d findings, want %d:\n%s\nbefore:\n%s", got, want, summaries(again), summaries(r))
		}
	})
}
