package programs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/programs"
	"x.go/targets"
	"x.go/tests/testenv"
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, "qemu-aarch64-static"))
}

// machines are the architectures that have a guest program, with GOARCH and ELF names.
var machines = []struct {
	arch, goarch string
	machine      elf.Machine
}{{"x86_64", "amd64", elf.EM_X86_64}, {"aarch64", "arm64", elf.EM_AARCH64}}

// place puts a program at out for an architecture; settings are "name=value".
func place(t testing.TB, name, arch, out string, settings ...string) {
	t.Helper()
	p := programs.Build{Name: name, Host: &targets.Spec{OS: "linux", Arch: arch}, Out: out}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		p.Settings = append(p.Settings, programs.Setting{Name: key, Value: value})
	}
	// No concurrent fork may inherit a descriptor of it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	testenv.Must(t, p.Run(t.Context(), nil))
}

// thisArch returns the architecture of this machine's guest program, or ends the test.
func thisArch(t testing.TB) string {
	for _, m := range machines {
		if runtime.GOOS == "linux" && m.goarch == runtime.GOARCH {
			return m.arch
		}
	}
	testenv.Missing(t, "a guest program for %s/%s", runtime.GOOS, runtime.GOARCH)
	return ""
}

// recorded returns the fields of guest/built, such as "gcc x86_64" and its version.
func recorded(t testing.TB) map[string]string {
	t.Helper()
	data, err := os.ReadFile("guest/built")
	testenv.Must(t, err)
	fields := map[string]string{}
	for line := range strings.Lines(string(data)) {
		i := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		fields[line[:i]] = strings.TrimSpace(line[i:])
	}
	return fields
}

// The guest programs are those of the source beside them. This needs no compiler.
func TestGuestIsOfItsSource(t *testing.T) {
	script, err := os.ReadFile("guest/build.sh")
	testenv.Must(t, err)
	_, sources, _ := strings.Cut(string(script), "\nsources=\"")
	sources, _, _ = strings.Cut(sources, "\"")
	all := sha256.New()
	names := append([]string{"build.sh", "guest.h"}, strings.Fields(sources)...)
	for _, name := range names {
		data, err := os.ReadFile("guest/" + name)
		testenv.Must(t, err)
		all.Write(data)
	}
	if got, want := hex.EncodeToString(all.Sum(nil)), recorded(t)["source"]; got != want {
		t.Errorf("guest/built: got the digest %s of the source, want %s: run go generate ./bootstrap/programs", want, got)
	}
	files, err := filepath.Glob("guest/*.[ch]")
	testenv.Must(t, err)
	if len(files) != len(names)-1 {
		t.Errorf("guest has the sources %q, want those in build.sh", files)
	}
}

// The guest programs come out the same, byte for byte, of the compilers that made them.
func TestGuestBuiltAgain(t *testing.T) {
	built := recorded(t)
	for _, m := range machines {
		for tool, ask := range map[string]string{
			"gcc": `"$0" -dumpfullversion`, "ld": `"$0" --version | sed -n '1s/.* //p'`,
		} {
			program := testenv.Need(t, m.arch+"-linux-gnu-"+tool)
			out, err := exec.Command("sh", "-c", ask, program).Output()
			testenv.Must(t, err)
			if got, want := strings.TrimSpace(string(out)), built[tool+" "+m.arch]; got != want {
				testenv.Missing(t, "%s %s: got %s", program, want, got)
			}
		}
	}
	out := t.TempDir()
	if text, err := exec.Command("sh", "guest/build.sh", out).CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, text)
	}
	want, got := testenv.Contents(t, "guest"), testenv.Contents(t, out)
	for name, data := range got {
		if data != want[name] {
			t.Errorf("%s: got other bytes than guest/%[1]s: run go generate ./bootstrap/programs", name)
		}
	}
	if len(got) != len(machines)+1 {
		t.Errorf("got %d files, want %d", len(got), len(machines)+1)
	}
}

// The programs need no library, no interpreter and no relocation, and are smaller than
// those of upstream, which have 376,864 bytes.
func TestGuestFile(t *testing.T) {
	for _, m := range machines {
		path := filepath.Join(t.TempDir(), m.arch)
		place(t, programs.LLDWrapper, m.arch, path, "mode=lld")
		data, err := os.ReadFile(path)
		testenv.Must(t, err)
		if len(data) > 32<<10 {
			t.Errorf("%s: got %d bytes, want at most %d", m.arch, len(data), 32<<10)
		}
		f, err := elf.NewFile(bytes.NewReader(data))
		testenv.Must(t, err)
		if f.Machine != m.machine || f.Type != elf.ET_DYN {
			t.Errorf("%s: got %v, %v", m.arch, f.Machine, f.Type)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
				t.Errorf("%s: got segment %v, want no interpreter and nothing to write and to run", m.arch, p.ProgHeader)
			}
		}
		for _, s := range f.Sections {
			if (s.Type == elf.SHT_RELA || s.Type == elf.SHT_REL) && s.Size > 0 {
				t.Errorf("%s: got relocations in %s, which nobody would apply", m.arch, s.Name)
			}
		}
		if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
			t.Errorf("%s: needs %q, %v", m.arch, libs, err)
		}
	}
}

// Equal settings give equal bytes, and settings that have no room are refused.
func TestGuestSettings(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		place(t, programs.LLDWrapper, "x86_64", filepath.Join(dir, name), "mode=lld", "site=/opt/site")
	}
	c := testenv.Contents(t, dir)
	if c["a"] != c["b"] || !strings.Contains(c["a"], "job=lldwrapper\x00mode=lld\x00site=/opt/site\x00\x00") {
		t.Error("got other bytes, or no settings")
	}
	for _, tt := range []struct{ value, want string }{
		{strings.Repeat("x", 5000), "the settings have"}, {"a\x00b", "has a NUL byte"},
	} {
		err := programs.Build{
			Name: programs.LLDWrapper, Host: &targets.Spec{OS: "linux", Arch: "aarch64"}, Out: filepath.Join(dir, "c"),
			Settings: []programs.Setting{{Name: "site", Value: tt.value}},
		}.Run(context.Background(), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// A program that is not placed does not guess what to do.
func TestGuestUnplaced(t *testing.T) {
	data, err := os.ReadFile("guest/guest-" + thisArch(t))
	testenv.Must(t, err)
	path := filepath.Join(t.TempDir(), "ld.lld")
	syscall.ForkLock.RLock()
	err = os.WriteFile(path, data, 0o755)
	syscall.ForkLock.RUnlock()
	testenv.Must(t, err)
	out, err := exec.Command(path).CombinedOutput()
	if want := "x: built for unknown job \"\"\n"; err == nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

// Other hosts have the program in Go, which needs a go command.
func TestCanBuild(t *testing.T) {
	path := os.Getenv("PATH")
	old := t.TempDir()
	testenv.Must(t, os.WriteFile(old+"/go", []byte("#!/bin/sh\necho go1.19.8\n"), 0o755))
	for _, tt := range []struct{ triple, path, want string }{
		{"x86_64-unknown-linux-gnu", "", ""},
		{"x86_64-unknown-linux-musl", "", ""},
		{"aarch64-unknown-linux-gnu", "", ""},
		{"aarch64-unknown-linux-musl", "", ""},
		{"aarch64_be-unknown-linux-gnu", path, "no port of Go"},
		{"riscv64gc-unknown-linux-gnu", "", "PATH has no go command"},
		{"riscv64gc-unknown-linux-gnu", old, "go1.19.8, want go1.26 or later"},
		{"riscv64gc-unknown-linux-gnu", path, ""},
		{"x86_64-unknown-freebsd", "", "PATH has no go command"},
		{"aarch64-apple-darwin", "", "PATH has no go command"},
	} {
		triple, err := targets.ParseTriple(tt.triple)
		testenv.Must(t, err)
		spec, err := targets.Builtin().Lookup(triple)
		testenv.Must(t, err)
		t.Setenv("PATH", tt.path)
		err = programs.CanBuild(spec)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s, PATH=%s: got %v, want %q", tt.triple, tt.path, err, tt.want)
		}
	}
}

// state shows all that a program has of its caller, with what a shell can do itself.
const state = `#!/bin/sh
umask; pwd; ulimit -a
while read line; do case $line in Sig[BI]*|Groups*|NoNewPrivs*) echo "$line";; esac; done </proc/self/status
for fd in /proc/self/fd/*; do echo "$fd"; done
set
exit 7
`

// What becomes of a guest program finds everything as if it had been started itself.
func TestGuestPassesOn(t *testing.T) {
	arch := thisArch(t)
	testenv.Need(t, "bash")
	root := t.TempDir()
	for name, settings := range map[string][]string{
		"gcc-ld/ld.lld": {"mode=lld"}, "jobs/gcc-ld/ld.lld": {"mode=lld", "jobserver=yes"}, "shim/gcc-ld/ld.lld": {"mode=system"},
	} {
		place(t, programs.LLDWrapper, arch, filepath.Join(root, name), settings...)
	}
	place(t, programs.Launcher, arch, filepath.Join(root, "bin/rustc"), "linker=system", "host=x86_64-unknown-linux-gnu")
	direct := filepath.Join(root, "direct")
	for _, name := range []string{"direct", "rust-lld", "jobs/rust-lld", "path/ld", "libexec/rustc"} {
		testenv.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		testenv.Must(t, os.WriteFile(filepath.Join(root, name), []byte(state), 0o755))
	}
	fifo := filepath.Join(root, "fifo")
	testenv.Must(t, syscall.Mkfifo(fifo, 0o600))
	for _, tt := range []struct{ name, before string }{
		{"plain", ``},
		{"signal ignored", `trap '' PIPE INT CHLD;`},
		{"signals blocked", `set -- env --block-signal=PIPE --block-signal=TERM --block-signal=USR1 "$@";`},
		{"address space", `ulimit -v 40000;`},
		{"data", `ulimit -d 10000;`},
		{"descriptors", `ulimit -n 24;`},
		{"stack", `ulimit -s 200;`},
		{"processes", `ulimit -u 1;`},
		{"no input", `exec <&-;`},
		{"more descriptors", `exec 7</dev/null 8>/dev/null;`},
		{"another mask of modes", `umask 077;`},
		{"small environment", `set -- env -i "PATH=$PATH" "$@";`},
		{"jobserver", `exec 6<>` + fifo + `; printf abcdefgh >&6; set -- env MAKEFLAGS=--jobserver-auth=6,6 "$@";`},
		{"jobserver, signals", `trap '' PIPE INT CHLD; exec 6<>` + fifo + `; set -- env --block-signal=TERM MAKEFLAGS=--jobserver-auth=6,6 "$@";`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := func(program string) string {
				cmd := exec.Command("bash", "-c", tt.before+` exec "$@"`, "bash", program)
				cmd.Dir, cmd.Env = root, []string{"PATH=" + root + "/path:" + os.Getenv("PATH"), "A=b c"}
				out, err := cmd.CombinedOutput()
				if cmd.ProcessState.ExitCode() != 7 {
					if strings.Contains(tt.before, "--block-signal") && bytes.Contains(out, []byte("unrecognized option")) {
						testenv.Missing(t, "env --block-signal")
					}
					t.Fatalf("%s: got %v, want exit status 7\n%s", program, err, out)
				}
				var kept []string
				for line := range strings.Lines(string(out)) {
					if !strings.HasPrefix(line, "PPID=") && !strings.HasPrefix(line, "_=") {
						kept = append(kept, strings.ReplaceAll(line, program, "PROGRAM"))
					}
				}
				return strings.Join(kept, "")
			}
			want := run(direct)
			for _, program := range []string{"gcc-ld/ld.lld", "jobs/gcc-ld/ld.lld", "shim/gcc-ld/ld.lld", "bin/rustc"} {
				if diff := cmp.Diff(want, run(filepath.Join(root, program))); diff != "" {
					t.Errorf("%s (-direct +through it):\n%s", program, diff)
				}
			}
		})
	}
}

// probe is a linker that shows what it is called with.
const probe = "#!/bin/sh\nprintf '<%s>' \"$0\" \"$@\"\n"

// Without /proc, the program finds itself by what the kernel was told.
func TestGuestWithoutProc(t *testing.T) {
	arch := thisArch(t)
	unshare := testenv.Need(t, "unshare")
	testenv.Need(t, "mount")
	flags := "-rm"
	if os.Getuid() == 0 {
		flags = "-m" // a machine may forbid namespaces of users
	}
	const hide = "mount -t tmpfs none /proc && cd \"$0\" && exec \"$@\""
	if out, err := exec.Command(unshare, flags, "sh", "-c", hide, "/", "true").CombinedOutput(); err != nil {
		testenv.Missing(t, "a mount namespace: %v: %s", err, out)
	}
	root := t.TempDir()
	place(t, programs.LLDWrapper, arch, root+"/tc/gcc-ld/ld.lld", "mode=lld")
	place(t, programs.LLDWrapper, arch, root+"/shim/gcc-ld/ld.lld", "mode=system")
	place(t, programs.Launcher, arch, root+"/tc/bin/rustc", "linker=system", "host=x86_64-unknown-linux-gnu")
	testenv.Must(t, os.Mkdir(root+"/links", 0o755))
	testenv.Must(t, os.Symlink("../tc/./gcc-ld/ld.lld", root+"/links/wasm-ld"))
	testenv.Must(t, os.Symlink("../shim/gcc-ld/ld.lld", root+"/links/ld"))
	testenv.Must(t, os.MkdirAll(root+"/tc/libexec", 0o755))
	testenv.Must(t, os.Mkdir(root+"/path", 0o755))
	for _, name := range []string{"tc/rust-lld", "tc/libexec/rustc", "path/ld"} {
		testenv.Must(t, os.WriteFile(root+"/"+name, []byte(probe), 0o755))
	}
	for _, tt := range []struct{ command, want string }{
		{root + "/tc/gcc-ld/ld.lld a", "<~/tc/rust-lld><-flavor><gnu><a>"},
		{"tc/gcc-ld/ld.lld", "<~/tc/rust-lld><-flavor><gnu>"},
		{"./links/../tc/gcc-ld/../gcc-ld/ld.lld", "<~/tc/rust-lld><-flavor><gnu>"},
		{"links/wasm-ld", "<~/tc/rust-lld><-flavor><gnu>"},
		{"shim/gcc-ld/ld.lld -o a", "<~/path/ld><-o><a>"},
		{"links/ld", "lld-wrapper"}, // as the real name is looked at, it is no other wrapper
		{"tc/bin/rustc -", "<~/tc/libexec/rustc><-Clinker-features=-lld><->"},
	} {
		cmd := exec.Command(unshare, append([]string{flags, "sh", "-c", hide, root}, strings.Fields(tt.command)...)...)
		cmd.Env = []string{"PATH=" + root + "/links:" + root + "/path:" + os.Getenv("PATH")}
		out, err := cmd.CombinedOutput()
		if got := strings.ReplaceAll(string(out), root, "~"); tt.command != "links/ld" && (err != nil || got != tt.want) {
			t.Errorf("%s: got %s, %v, want %s", tt.command, got, err, tt.want)
		} else if tt.command == "links/ld" && got != "<~/path/ld>" {
			t.Errorf("%s: got %s, want the linker behind it", tt.command, got)
		}
	}
}

// Without /proc the descriptors of a jobserver can't be opened again. Linux 6.5 and later
// read them without waiting all the same; before, LLD gets one thread. No token is lost.
func TestGuestJobserverWithoutProc(t *testing.T) {
	arch := thisArch(t)
	unshare := testenv.Need(t, "unshare")
	testenv.Need(t, "mount")
	const hide = `mount -t tmpfs none /proc && exec "$0"`
	root := t.TempDir()
	place(t, programs.LLDWrapper, arch, root+"/gcc-ld/ld.lld", "mode=lld", "jobserver=yes")
	testenv.Must(t, os.WriteFile(root+"/rust-lld", []byte("#!/bin/sh\nprintf %s \"$3\"\n"), 0o755))
	r, w, err := os.Pipe()
	testenv.Must(t, err)
	defer r.Close()
	defer w.Close()
	for _, free := range []string{"", "a"} {
		_, err := w.WriteString(free)
		testenv.Must(t, err)
		flags := "-rm"
		if os.Getuid() == 0 {
			flags = "-m"
		}
		cmd := exec.Command(unshare, flags, "sh", "-c", hide, root+"/gcc-ld/ld.lld")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "MAKEFLAGS=--jobserver-auth=3,4"}
		cmd.ExtraFiles = []*os.File{r, w}
		out, err := cmd.CombinedOutput()
		if err != nil {
			testenv.Missing(t, "a mount namespace: %v: %s", err, out)
		}
		if got := string(out); got != "--threads=1" && (got != "--threads=2" || free == "") {
			t.Errorf("with the tokens %q: got %s", free, got)
		}
	}
	testenv.Must(t, syscall.SetNonblock(int(r.Fd()), true))
	buf := make([]byte, 9)
	if n, err := syscall.Read(int(r.Fd()), buf); err != nil || string(buf[:n]) != "a" {
		t.Errorf("tokens: got %q, %v, want the one", buf[:max(n, 0)], err)
	}
}

// The program for aarch64 does the same in qemu.
func TestGuestInQEMU(t *testing.T) {
	qemu := testenv.Need(t, "qemu-aarch64-static")
	root := t.TempDir()
	place(t, programs.LLDWrapper, "aarch64", root+"/gcc-ld/ld.lld", "mode=lld", "jobserver=yes")
	place(t, programs.LLDWrapper, "aarch64", root+"/shim/gcc-ld/ld.lld", "mode=system")
	place(t, programs.Launcher, "aarch64", root+"/bin/rustc", "linker=lld", "host=aarch64-unknown-linux-gnu")
	testenv.Must(t, os.MkdirAll(root+"/libexec", 0o755))
	testenv.Must(t, os.Mkdir(root+"/path", 0o755))
	fifo := root + "/fifo"
	testenv.Must(t, syscall.Mkfifo(fifo, 0o600))
	pool, err := os.OpenFile(fifo, os.O_RDWR, 0)
	testenv.Must(t, err)
	defer pool.Close()
	_, err = pool.WriteString("a")
	testenv.Must(t, err)
	for _, name := range []string{"rust-lld", "libexec/rustc", "path/ld", "path/x86_64-linux-gnu-ld"} {
		testenv.Must(t, os.WriteFile(root+"/"+name, []byte(probe), 0o755))
	}
	threads := ""
	if runtime.NumCPU() > 1 {
		threads = "<--threads=2>"
	} else {
		threads = "<--threads=1>"
	}
	gccLD := "<-Clink-arg=-B~/lib/rustlib/aarch64-unknown-linux-gnu/bin/gcc-ld><-Clink-arg=-fuse-ld=lld>"
	for _, tt := range []struct{ env, command, want string }{
		{"", "gcc-ld/ld.lld -o a", "<~/rust-lld><-flavor><gnu><-o><a>"},
		{"MAKEFLAGS=--jobserver-auth=fifo:" + fifo, "gcc-ld/ld.lld", "<~/rust-lld><-flavor><gnu>" + threads},
		{"", "shim/gcc-ld/ld.lld -maarch64linux", "<~/path/ld><-maarch64linux>"},
		{"", "shim/gcc-ld/ld.lld -m elf_x86_64", "<~/path/x86_64-linux-gnu-ld><-m><elf_x86_64>"},
		{"COLLECT_GCC_OPTIONS='-fuse-ld=lld'", "shim/gcc-ld/ld.lld", "lld-wrapper: could not find the LLD that -fuse-ld=lld asks for: no ld.lld in COMPILER_PATH or PATH, " +
			"and the default of this toolchain is the system linker; install lld\n"},
		{"", "bin/rustc a.rs", "<~/libexec/rustc>" + gccLD + "<a.rs>"},
		{"", "bin/rustc --target=b a.rs", "<~/libexec/rustc><--target=b><a.rs>"},
	} {
		cmd := exec.Command(qemu, strings.Fields(root+"/"+tt.command)...)
		cmd.Env = []string{"PATH=" + root + "/path", tt.env}
		out, _ := cmd.CombinedOutput()
		if diff := cmp.Diff(tt.want, strings.ReplaceAll(string(out), root, "~")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.command, diff)
		}
	}
}
