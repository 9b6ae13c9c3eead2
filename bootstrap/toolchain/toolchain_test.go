package toolchain

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestFindToolchainErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		p := filepath.Join(dir, name, "bin", "rustc")
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, sysroot, want string }{
		{"missing", filepath.Join(dir, "nowhere"), "no such file or directory"},
		{"file", file, "not a directory"},
		{"loop", filepath.Join(dir, "loop"), "too many"},
		{"empty", filepath.Join(dir, "empty"), "no compiler at"},
		{"not executable", write("plain", "", 0o644), "not an executable file"},
		{"fails", write("fails", "#!/bin/sh\necho 'error: out of order' >&2\nexit 3\n", 0o755), "exit status 3: error: out of order"},
		{"not rustc", write("other", "#!/bin/sh\necho hello\n", 0o755), `no "host" line`},
		{"no bytes", write("nothing", "", 0o755), "it is no program"},
		{"no program", write("garbage", "\x00\x01garbage", 0o755), "it is no program"},
		{"cut off", write("cut", foreignELF[:40], 0o755), "exec format error"},
		{"foreign", write("foreign", foreignELF, 0o755), "another machine, ELF (s390x, big endian"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Find(t.Context(), Source{Sysroot: tt.sysroot, Env: os.Environ()})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// foreignELF is the header of a program for s390x, which no machine that runs
// these tests is.
const foreignELF = "\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // 64 bits, big endian
	"\x00\x02\x00\x16\x00\x00\x00\x01" + // executable, EM_S390
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x40\x00\x38\x00\x00\x00\x40\x00\x00\x00\x00"

// TestAskSpecOldCompiler asks a compiler that has no dummy backend, as before
// 1.92: the question is put again without it, and any error is the plain
// question's.
func TestAskSpecOldCompiler(t *testing.T) {
	spec := t.TempDir() + "/spec.json"
	if err := os.WriteFile(spec, []byte(`{"arch":"x86_64","llvm-target":"x86_64-unknown-linux-gnu","linker-flavor":"gnu-cc","target-pointer-width":64}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, plain, arch, want string }{
		{name: "answers", plain: "cat '" + spec + "'", arch: "x86_64"},
		{name: "fails", plain: "echo 'error: out of order' >&2; exit 3", want: "exit status 3: error: out of order"},
	} {
		t.Run(row.name, func(t *testing.T) {
			rustc := filepath.Join(t.TempDir(), "rustc")
			script := "#!/bin/sh\ncase \"$*\" in *codegen-backend*) echo 'error: no such backend' >&2; exit 1;; esac\n" + row.plain + "\n"
			if err := os.WriteFile(rustc, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			tc := Toolchain{Rustc: rustc, env: os.Environ()}
			err := tc.askSpec(t.Context())
			switch {
			case row.want != "":
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("got %v, want an error with %q", err, row.want)
				}
			case err != nil:
				t.Error(err)
			case tc.Spec.Arch != row.arch:
				t.Errorf("architecture: got %q, want %q", tc.Spec.Arch, row.arch)
			}
		})
	}
}

// TestAskSpecBehindSysroot has what the compiler prints before its spec: its sysroot,
// whose name may hold a brace.
func TestAskSpecBehindSysroot(t *testing.T) {
	const spec = `{"arch":"x86_64","llvm-target":"x86_64-unknown-linux-gnu","linker-flavor":"gnu-cc","target-pointer-width":64}`
	for _, sysroot := range []string{"", "/opt/rust", "/opt/{name}/rust", "{name}/rust"} {
		rustc := filepath.Join(t.TempDir(), "rustc")
		script := "#!/bin/sh\n"
		if sysroot != "" {
			script += "echo '" + sysroot + "'\n"
		}
		if err := os.WriteFile(rustc, []byte(script+"echo '"+spec+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		tc := Toolchain{Rustc: rustc, env: os.Environ()}
		if err := tc.askSpec(t.Context()); err != nil {
			t.Errorf("%q: %v", sysroot, err)
		} else if tc.printed != sysroot || tc.Spec.Arch != "x86_64" {
			t.Errorf("got the sysroot %q and %s, want %q", tc.printed, tc.Spec.Arch, sysroot)
		}
	}
}

// TestFindToolchainReal asks the compilers that rustup has here.
func TestFindToolchainReal(t *testing.T) {
	eachReal(t, func(t *testing.T, tc Toolchain, _ Input) {
		if name := filepath.Base(t.Name()); tc.Version.Channel() != name {
			t.Errorf("channel: got %q, want %q", tc.Version.Channel(), name)
		}
		if tc.Spec.Arch != map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH] {
			t.Errorf("architecture of the host: got %q on %s", tc.Spec.Arch, runtime.GOARCH)
		}
		if err := tc.Version.Check(); tc.Version.CommitHash == "" || err != nil {
			t.Errorf("version %+v: got %v, want a commit", tc.Version, err)
		}
	})
}
