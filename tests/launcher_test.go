package tests

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/lld"
	"x.go/dist/archive"
	"x.go/dist/linkage"
	"x.go/manifests"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// TestLauncher turns rustup's stable, whose compiler was built to link with LLD,
// into a toolchain of rust.lld = false by the launcher, and uses it in every way
// in which programs are linked.
func TestLauncher(t *testing.T) {
	t.Parallel()
	stable := testenv.Sysroot(t, "stable")
	dir := t.TempDir()
	if err := runx.MakeSlim(stable, filepath.Join(dir, "in"), []string{"rustc", "rust-std", "cargo", "clippy-preview"}); err != nil {
		t.Fatal(err)
	}
	runx.Must(t, dir, nil, "build", "--quiet", "--sysroot", "in", "--build-dir", "b", "--set", "rust.lld=false", "--set", `lld.baked-default="launcher"`)
	made := filepath.Join(dir, "b/x86_64-unknown-linux-gnu/stage2")
	t.Run("hello", func(t *testing.T) {
		if info := linkedBy(t, made); info.Linker == linkage.LLD {
			t.Errorf("a default link: got %s", info.Linker)
		}
	})
	t.Run("answers", func(t *testing.T) { launcherAnswers(t, filepath.Join(dir, "in"), made) })
	t.Run("cargo", func(t *testing.T) { launcherCargo(t, made) })
	t.Run("record", func(t *testing.T) {
		data, err := os.ReadFile(filepath.Join(made, "share/doc/rust/x-build.json"))
		if err != nil {
			t.Fatal(err)
		}
		r := decodeRecord(t, data)
		if r.LLD.Launcher != "system" || r.LLD.Wrapper != "shim" || len(r.Programs) != 2 || strings.Contains(string(data), dir) {
			t.Errorf("got %s", data)
		}
	})
	// What was made is an input again, and gives the original back.
	t.Run("undone", func(t *testing.T) {
		runx.Must(t, dir, nil, "build", "--quiet", "--sysroot", made, "--build-dir", "c", "--set", "lld.binary='in/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld'", "--set", "rust.lld=true")
		undone := filepath.Join(dir, "c/x86_64-unknown-linux-gnu/stage2")
		for _, name := range []string{"bin/rustc", "bin/clippy-driver"} {
			if want, got := size(t, filepath.Join(dir, "in", name)), size(t, filepath.Join(undone, name)); got != want {
				t.Errorf("%s: got %d bytes, want %d", name, got, want)
			}
		}
		if info := linkedBy(t, undone); info.Linker != linkage.LLD {
			t.Errorf("a default link: got %s, want %s", info.Linker, linkage.LLD)
		}
	})
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Size()
}

// launcherAnswers compares what the compiler says with and without launcher.
func launcherAnswers(t *testing.T, before, after string) {
	dir := t.TempDir()
	for name, text := range map[string]string{"wasm": "--target\nwasm32-unknown-unknown\n", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	say := func(sysroot, line string) string {
		args := strings.Fields(line)
		cmd := exec.Command(filepath.Join(sysroot, args[0]), args[1:]...)
		cmd.Dir, cmd.Env = dir, cleanEnv(dir)
		out, err := cmd.CombinedOutput()
		return strings.ReplaceAll(string(out), sysroot, "") + exitText(err)
	}
	for _, line := range []string{
		"bin/rustc", "bin/rustc @empty", "bin/rustc -vV", "bin/rustc --print sysroot", "bin/rustc --print cfg", "bin/rustc --print target-libdir",
		"bin/rustc --print target-list", "bin/rustc -C help", "bin/rustc --explain E0001", "bin/rustc --target wasm32-unknown-unknown --print cfg",
		"bin/rustc --target=aarch64-unknown-linux-gnu --print cfg", "bin/rustc @wasm --print cfg", "bin/rustc @none", "bin/rustc missing.rs",
		"bin/clippy-driver", "bin/clippy-driver -V", "bin/clippy-driver rustc -vV", "bin/clippy-driver --rustc -vV",
	} {
		if diff := cmp.Diff(say(before, line), say(after, line)); diff != "" {
			t.Errorf("%s (-original +launcher):\n%s", line, diff)
		}
	}
}

func exitText(err error) string {
	if err != nil {
		return "\n" + err.Error()
	}
	return ""
}

// linkingCrates is a workspace with every kind of crate that is linked.
var linkingCrates = map[string]string{
	"Cargo.toml":     "[workspace]\nmembers = [\"app\", \"mac\"]\nresolver = \"2\"\n",
	"mac/Cargo.toml": "[package]\nname = \"mac\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n",
	"mac/src/lib.rs": "use proc_macro::TokenStream;\n#[proc_macro]\npub fn six(_: TokenStream) -> TokenStream { \"6\".parse().unwrap() }\n",
	"app/Cargo.toml": "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n[dependencies]\nmac = { path = \"../mac\" }\n",
	"app/build.rs":   "fn main() { println!(\"cargo::rustc-env=SEVEN=7\"); }\n",
	"app/src/lib.rs": "/// ```\n/// assert_eq!(app::answer(), \"6 * 7\");\n/// ```\npub fn answer() -> String { format!(\"{} * {}\", mac::six!(), env!(\"SEVEN\")) }\n",
}

// launcherCargo builds, lints and tests a workspace, and reads every program and
// library that was linked.
func launcherCargo(t *testing.T, sysroot string) {
	testenv.Need(t, "cc")
	dir := t.TempDir()
	for name, text := range linkingCrates {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"build"}, {"test", "--doc"}, {"clippy"}} {
		cmd := exec.Command(filepath.Join(sysroot, "bin/cargo"), append(args, "--offline", "--target-dir", filepath.Join(dir, "target-"+args[0]))...)
		cmd.Dir = dir
		cmd.Env = append(cleanEnv(dir), "PATH="+filepath.Join(sysroot, "bin")+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("cargo %v: %v\n%s", args, err, out)
		}
	}
	linked := map[string]bool{}
	for _, name := range files(t, dir) {
		info, err := linkage.ReadFile(filepath.Join(dir, name))
		ext := filepath.Ext(name)
		if errors.Is(err, linkage.ErrNotELF) || ext == ".o" || ext == ".rlib" || ext == ".rmeta" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if info.Linker == linkage.LLD {
			t.Errorf("%s: got %s", name, info.Linker)
		}
		top, _, _ := strings.Cut(name, "/")
		base, _, _ := strings.Cut(filepath.Base(name), "-")
		linked[top+" "+base] = true
	}
	for _, want := range []string{"target-build build_script_build", "target-build libmac", "target-build libapp.so", "target-clippy build_script_build", "target-clippy libmac"} {
		if !linked[want] {
			t.Errorf("nothing linked as %s; have %v", want, linked)
		}
	}
}

// TestBuildRecord reads the record of an archive.
func TestBuildRecord(t *testing.T) {
	a, err := archive.Open(filepath.Join(sharedDist(t), "dist/cargo-1.95.0-x86_64-unknown-linux-gnu.tar.gz"), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for {
		m, err := a.Next()
		if err != nil {
			t.Fatalf("finding the record: %v", err)
		}
		if m.Name != "cargo-1.95.0-x86_64-unknown-linux-gnu/x-build.json" {
			continue
		}
		data, err := io.ReadAll(a)
		if err != nil {
			t.Fatal(err)
		}
		r := decodeRecord(t, data)
		want := lld.Outcome{Shipped: true, Default: true, Wrapper: lld.WrapperKept, Launcher: lld.LauncherNone, Rule: "lld-host"}
		if diff := cmp.Diff(want, lld.Recorded(r)); diff != "" {
			t.Errorf("LLD (-want +got):\n%s", diff)
		}
		if len(r.Inputs) != 7 || r.Inputs["bin/rustc"].IsZero() || len(r.Programs) > 0 || r.Toolchain.Host != "x86_64-unknown-linux-gnu" {
			t.Errorf("got %s", data)
		}
		return
	}
}

func decodeRecord(t *testing.T, data []byte) manifests.BuildRecord {
	t.Helper()
	r, err := manifests.ParseBuildRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(data), string(again)); diff != "" {
		t.Errorf("the record, encoded again (-want +got):\n%s", diff)
	}
	return r
}
