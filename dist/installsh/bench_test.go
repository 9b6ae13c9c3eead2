package installsh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// perFile does for each file what a script without batches does: make the directory,
// copy, set the mode, record.
const perFile = `while IFS=: read -r kind file; do
	mkdir -p "$(dirname "$2/$file")" && cp "$1/$file" "$2/$file" && chmod 644 "$2/$file" &&
	echo "$kind:$2/$file" >>"$2/manifest"
done <"$1/manifest.in"`

// BenchmarkInstall62Files installs as many small files as rust-std for
// x86_64-unknown-linux-gnu has, against a loop with processes for each file.
func BenchmarkInstall62Files(b *testing.B) {
	root := b.TempDir()
	var manifest strings.Builder
	write := func(name, body string) {
		path := filepath.Join(root, "src", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 62 {
		name := fmt.Sprintf("lib/rustlib/x86_64-unknown-linux-gnu/lib/lib%02d.rlib", i)
		write("rust-std/"+name, "")
		manifest.WriteString("file:" + name + "\n")
	}
	write("rust-std/manifest.in", manifest.String())
	write("components", "rust-std\n")
	script, err := Script(Options{RelManifestDir: "rustlib"})
	if err != nil {
		b.Fatal(err)
	}
	write("install.sh", string(script))
	prefix := filepath.Join(root, "p")
	for _, shell := range []string{"dash", "bash"} {
		for name, args := range map[string][]string{
			"batches": {filepath.Join(root, "src/install.sh"), "--disable-ldconfig", "--prefix=" + prefix},
			"perfile": {"-c", perFile, "sh", filepath.Join(root, "src/rust-std"), prefix},
		} {
			b.Run(shell+"/"+name, func(b *testing.B) {
				shell := testenv.Need(b, shell)
				for b.Loop() {
					if out, err := exec.Command(shell, args...).CombinedOutput(); err != nil {
						b.Fatalf("%v\n%s", err, out)
					}
					b.StopTimer()
					if err := os.RemoveAll(prefix); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			})
		}
	}
}
