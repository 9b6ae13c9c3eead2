package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/cargoflags"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// noteRustc notes the arguments with which cargo compiles the crate, and does
// not compile it. Cargo's questions about the compiler go on to it.
const noteRustc = `#!/bin/sh
case " $* " in
*" --crate-name probe "*) printf '%s\n' "$@" > "$X_NOTE"; exit 1;;
esac
exec rustc "$@"
`

// TestRustflagsEqualCargo compares the flags that x finds with those that the
// real cargo passes, in the same directory and environment.
func TestRustflagsEqualCargo(t *testing.T) {
	cargo := testenv.Need(t, "cargo")
	testenv.Need(t, "rustc")
	files := map[string]string{
		"far/near/src/lib.rs": "",
		"far/near/Cargo.toml": "[package]\nname = \"probe\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
		"far/near/.cargo/config.toml": `
include = ["more.toml"]
[build]
rustflags = ["--cfg", "build_near"]
[target.x86_64-unknown-linux-gnu]
rustflags = ["--cfg", "triple_near"]
linker = "tools/cc"
[target.'cfg(unix)']
rustflags = ["--cfg", "cfg_near"]
[target.'cfg(all(target_os = "linux", not(windows), any(target_env = "gnu", target_env = "musl")))']
rustflags = ["--cfg", "cfg_all"]
[target.'cfg(target_pointer_width = "32")']
rustflags = ["--cfg", "cfg_32"]
`,
		"far/near/.cargo/more.toml": "build.rustflags = [\"--cfg\", \"included\"]\n",
		"far/.cargo/config.toml": `
[build]
rustflags = ["--cfg", "build_far"]
[target.x86_64-unknown-linux-gnu]
rustflags = ["--cfg", "triple_far"]
linker = "far"
[target.'cfg(unix)']
rustflags = ["--cfg", "cfg_far"]
[target.i686-unknown-linux-gnu]
linker = "far/i686-gcc"
`,
		"home/config.toml": "build.rustflags = [\"--cfg\", \"build_home\"]\n",
		"rustc":            noteRustc,
	}
	dir := t.TempDir()
	writeFiles(t, dir, files)
	for _, tt := range []struct {
		name, target string
		env          []string
	}{
		{"files", "x86_64-unknown-linux-gnu", nil},
		{"other target", "i686-unknown-linux-gnu", nil},
		{"no condition", "wasm32-unknown-unknown", nil},
		{"triple's variables", "x86_64-unknown-linux-gnu", []string{
			"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS=--cfg env", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=bin/cc"}},
		{"build's variable", "wasm32-unknown-unknown", []string{"CARGO_BUILD_RUSTFLAGS=--cfg  env"}},
		{"RUSTFLAGS", "x86_64-unknown-linux-gnu", []string{"RUSTFLAGS= --cfg  env "}},
		{"empty RUSTFLAGS", "x86_64-unknown-linux-gnu", []string{"RUSTFLAGS="}},
		{"encoded", "x86_64-unknown-linux-gnu", []string{"RUSTFLAGS=--cfg env", "CARGO_ENCODED_RUSTFLAGS=--cfg\x1fenc=\"a b\""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			near := filepath.Join(dir, "far", "near")
			note := filepath.Join(t.TempDir(), "note")
			env := append([]string{"CARGO_HOME=" + filepath.Join(dir, "home"), "CARGO_NET_OFFLINE=true"}, tt.env...)
			cmd := exec.Command(cargo, "build", "--offline", "--target", tt.target)
			cmd.Dir = near
			cmd.Env = append(cleanCargoEnv(), append(env, "RUSTC="+filepath.Join(dir, "rustc"), "X_NOTE="+note,
				"CARGO_TARGET_DIR="+t.TempDir())...)
			out, _ := cmd.CombinedOutput() // it fails, since nothing was compiled
			noted, err := os.ReadFile(note)
			if err != nil {
				t.Fatalf("cargo did not come to the crate: %v\n%s", err, out)
			}
			want := configured(strings.Split(strings.TrimSuffix(string(noted), "\n"), "\n"))

			answer := runx.Command(t, near, nil, "explain", "--rustflags", "--json", "--target", tt.target)
			answer.Env = append(cleanCargoEnv(), env...)
			text, err := answer.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Flags []cargoflags.Flag }
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			var args []string
			for _, f := range got.Flags {
				args = append(args, f.Arg)
			}
			if diff := cmp.Diff(want, configured(args)); diff != "" {
				t.Errorf("(-cargo +x)\n%s", diff)
			}
		})
	}
}

// cleanCargoEnv is the environment without what cargo reads of it.
func cleanCargoEnv() []string {
	var out []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CARGO") && !strings.HasPrefix(v, "RUSTFLAGS=") && !strings.HasPrefix(v, "RUSTC") {
			out = append(out, v)
		}
	}
	return append(out, "HOME="+os.Getenv("HOME"))
}

// configured keeps of rustc's arguments the linker and the values of --cfg.
// Cargo writes `-C linker=`, x `-Clinker=`.
func configured(args []string) []string {
	var out []string
	for i, arg := range args {
		switch linker, ok := strings.CutPrefix(strings.TrimPrefix(arg, "-C"), "linker="); {
		case ok:
			out = append(out, "linker="+linker)
		case arg == "--cfg" && i+1 < len(args):
			out = append(out, args[i+1])
		}
	}
	return out
}

// TestConditionsEqualRustc gives a flag to each line of `rustc --print cfg` as
// a condition: x must find that it holds, or say that it cannot know.
func TestConditionsEqualRustc(t *testing.T) {
	rustc := testenv.Need(t, "rustc")
	for _, target := range []string{"x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "i686-pc-windows-gnu", "wasm32-wasip1", "s390x-unknown-linux-gnu", "thumbv7em-none-eabihf", "avr-none"} {
		args := []string{"--print", "cfg", "--target", target}
		if target == "avr-none" {
			args = append(args, "-Ctarget-cpu=atmega328p")
		}
		out, err := exec.Command(rustc, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		var config strings.Builder
		for i, line := range lines {
			fmt.Fprintf(&config, "[target.'cfg(%s)']\nrustflags = [\"%d\"]\n[target.'cfg(not(%[1]s))']\nrustflags = [\"wrong\"]\n", line, i)
		}
		dir := t.TempDir()
		writeFiles(t, dir, map[string]string{".cargo/config.toml": config.String()})
		cmd := runx.Command(t, dir, nil, "explain", "--rustflags", "--json", "--target", target, "--release", "stable")
		cmd.Env = append(cleanCargoEnv(), "CARGO_HOME="+dir)
		text, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Flags []cargoflags.Flag
			Notes []string
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		held := map[string]bool{}
		for _, f := range got.Flags {
			held[f.Arg] = true
		}
		if held["wrong"] {
			t.Errorf("%s: x finds that a condition of rustc does not hold: %v", target, got.Flags)
		}
		for i, line := range lines {
			asked := slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "'cfg("+line+")'") })
			if !held[strconv.Itoa(i)] && !asked {
				t.Errorf("%s: x neither finds that %s holds nor says that it cannot know", target, line)
			}
		}
	}
}

// writeFiles writes a tree of small files, all of them executable.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
