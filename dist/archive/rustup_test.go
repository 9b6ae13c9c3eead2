package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/manifests"
	"x.go/tests/testenv"
)

func digestOf(b []byte) manifests.Hash { return sha256.Sum256(b) }

// variantCount is how many variants the real rustup judges; all of a thousand take
// some minutes.
var variantCount = flag.Int("variants", 40, "how many odd archives the real rustup judges")

// plainPack compresses data in the usual way; zst with our encoder, so that rustup
// judges it.
func plainPack(f Format, data []byte) []byte {
	var b bytes.Buffer
	p := Fast
	if f == Zst {
		p = Best
	}
	if err := (Writer{Profile: p}).Compress(context.Background(), f, &b, bytes.NewReader(data), int64(len(data))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// What rustup refuses, a scan finds; what rustup takes, a scan does not call
// unreadable; and both see the same files.
func TestRustupJudgesVariants(t *testing.T) {
	rustup := testenv.Need(t, "rustup")
	seen := map[bool]int{}
	for seed := range uint64(*variantCount) {
		v := makeVariant(seed)
		installed, said := installVariant(t, rustup, v)
		seen[installed != ""]++
		judgeVariant(t, v, installed, said)
	}
	if *variantCount >= 40 && (seen[true] == 0 || seen[false] == 0) {
		t.Errorf("got %d archives that rustup takes and %d that it refuses, want some of both", seen[true], seen[false])
	}
}

// stricter are the kinds for which x refuses what rustup installs: other readers see
// other files there, or there is something that nobody should send.
var stricter = []ProblemKind{
	ProblemHeader, ProblemName, ProblemType, ProblemDuplicate, ProblemDirOrder, ProblemTop, ProblemTrailing, ProblemTarEnd, ProblemStream, ProblemAbsent, ProblemUnlisted, ProblemManifestKind,
	ProblemComponents,
}

// judgeVariant compares the verdict of a scan with rustup's. installed is the prefix,
// or empty if rustup refused.
func judgeVariant(t *testing.T, v variant, installed, said string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), variantTop+v.format.Ext())
	must(t, os.WriteFile(path, v.data, 0o644))
	facts, err := Scan(t.Context(), path, ScanOptions{})
	must(t, err)
	layout := facts.Layout()
	problem := facts.First()
	if problem == nil {
		problem = layout.First()
	}
	if installed == "" {
		if problem == nil {
			t.Errorf("%s: rustup refuses it and x does not:\n%s", v.name, said)
		}
		return
	}
	if problem != nil {
		for _, p := range slices.Concat(facts.List, layout.List) {
			if !p.Tolerated && !v.damaged && !slices.Contains(stricter, p.Kind) {
				t.Errorf("%s: rustup takes it and x does not: %s: %s", v.name, p.Kind, p.Detail)
			}
		}
		return
	}
	for _, d := range layout.Lists[variantComponent] {
		b, err := os.ReadFile(filepath.Join(installed, d.Path))
		if m := layout.Files[variantComponent+"/"+d.Path]; err != nil || digestOf(b) != m.Digest {
			t.Errorf("%s: rustup installs another %s than x sees: %v, %q", v.name, d.Path, err, b)
		}
	}
}

// installVariant has rustup install a channel of one archive. It returns the prefix,
// or an empty one and what rustup said.
func installVariant(t *testing.T, rustup string, v variant) (prefix, said string) {
	t.Helper()
	dir := t.TempDir()
	file := variantTop + v.format.Ext()
	const host = "x86_64-unknown-linux-gnu"
	manifest := fmt.Sprintf(`manifest-version = "2"
date = "2026-04-16"
[pkg.rustc]
version = "1.95.0 (59807616e 2026-04-14)"
[pkg.rustc.target.%[1]s]
available = true
%[2]surl = "file://%[3]s/dist/%[4]s"
%[2]shash = "%[5]s"
[pkg.rust]
version = "1.95.0 (59807616e 2026-04-14)"
[pkg.rust.target.%[1]s]
available = true
components = [{ pkg = "rustc", target = "%[1]s" }]
`, host, keyPrefix(v.format), filepath.ToSlash(dir), file, digestOf(v.data))
	sum := digestOf([]byte(manifest))
	must(t, os.Mkdir(filepath.Join(dir, "dist"), 0o755))
	for name, data := range map[string][]byte{
		file: v.data, "channel-rust-stable.toml": []byte(manifest), "channel-rust-stable.toml.sha256": manifests.FormatChecksum(sum, "channel-rust-stable.toml"),
	} {
		must(t, os.WriteFile(filepath.Join(dir, "dist", name), data, 0o644))
	}
	cmd := exec.CommandContext(t.Context(), rustup, "toolchain", "install", "stable-"+host, "--no-self-update", "--force-non-host", "--profile", "minimal")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "RUSTUP_HOME=" + filepath.Join(dir, "rustup"), "CARGO_HOME=" + filepath.Join(dir, "cargo"),
		"RUSTUP_DIST_SERVER=file://" + filepath.ToSlash(dir), "RUST_BACKTRACE=0", "RUSTUP_TERM_COLOR=never",
	}
	out, err := cmd.CombinedOutput()
	prefix = filepath.Join(dir, "rustup", "toolchains", "stable-"+host)
	if _, serr := os.Stat(filepath.Join(prefix, "lib/rustlib/manifest-rustc-"+host)); err != nil || serr != nil {
		return "", strings.TrimSpace(string(out))
	}
	return prefix, ""
}
