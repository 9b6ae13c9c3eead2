package check

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/targets"
)

const linux = "x86_64-unknown-linux-gnu"

func bootstrapToml(text string) map[string]string { return map[string]string{"bootstrap.toml": text} }

func triple(s string) targets.Triple {
	t, err := targets.ParseTriple(s)
	if err != nil {
		panic(err)
	}
	return t
}

// load reads a configuration of files in memory, by their names.
func load(t testing.TB, files map[string]string, release string, sets ...string) config.Config {
	t.Helper()
	src := config.Source{Host: triple(linux), Sets: sets, ReadFile: func(path string) ([]byte, error) {
		if text, ok := files[filepath.Clean(path)]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}}
	var err error
	if release != "" {
		if src.Release, err = targets.ParseRelease(release); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// input is a toolchain for linux whose compiler was built with LLD or without.
func input(baked, rustLLD bool) lld.Facts {
	return lld.Facts{Toolchain: &lld.Toolchain{Host: triple(linux), Linux: true, Baked: baked, RustLLD: rustLLD, Wrappers: rustLLD}}
}

// memFiles is a file system in memory; directories named in readOnly refuse.
type memFiles struct {
	files    fstest.MapFS
	readOnly string
	free     int64
}

func (m memFiles) Lstat(name string) (fs.FileInfo, error) {
	return m.files.Lstat(strings.TrimPrefix(name, "/"))
}

func (m memFiles) Stat(name string) (fs.FileInfo, error) {
	fi, err := m.files.Stat(strings.TrimPrefix(name, "/"))
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err // as the real file system's implementation does
	}
	return fi, err
}

func (m memFiles) Writable(dir string) error {
	if dir == m.readOnly {
		return fs.ErrPermission
	}
	return nil
}

func (m memFiles) Free(string) (int64, error) { return m.free, nil }

// findings renders findings as "severity place: reason; remedy".
func findings(list []config.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, string(f.Severity)+" "+f.Place+": "+f.Text())
	}
	return out
}

func TestCheckConfig(t *testing.T) {
	all := func(targets.Triple) error { return nil }
	for _, row := range []struct {
		name, text, x string
		release       string
		sets          []string
		builtin       bool // asks the builtin registry for targets
		facts         Facts
		want          []string
	}{
		{name: "nothing to say", text: "change-id = 'ignore'\nrust.lld = false"},
		{name: "refused and more", text: "change-id = 'ignore'\n[rust]\nlld = true\n[dist]\ncompression-profile = 'no-op'\n[target.x86_64-unknown-linux-gnu]\nllvm-config = 'x'\n", want: []string{
			"error bootstrap.toml:3:1: Cannot enable LLD with `rust.lld = true` when using external llvm-config; remove rust.lld = true or target.x86_64-unknown-linux-gnu.llvm-config (bootstrap.toml:7:1)",
			"error bootstrap.toml:5:1: dist.compression-profile = 'no-op' can only be used for `x install`; choose fast, balanced or best",
		}},
		{name: "no-op for install", text: "change-id = 'ignore'\ndist.compression-profile = 'no-op'", facts: Facts{Command: "install"}},
		{name: "change-id missing", text: "", want: []string{
			"note change-id: The `change-id` is missing in the `bootstrap.toml`; set change-id = 162546, or \"ignore\""}},
		{name: "change-id missing, before ignore", text: "", release: "1.85.0", want: []string{
			"warning bootstrap.toml: x.py of 1.85 does not read it: this name came with 1.87 (rust-lang/rust#137081); rename it to config.toml",
			"note change-id: The `change-id` is missing in the `config.toml`; set change-id = 134650"}},
		{name: "change-id missing, before it", text: "", release: "1.74.0", want: []string{
			"warning bootstrap.toml: x.py of 1.74 does not read it: this name came with 1.87 (rust-lang/rust#137081); rename it to config.toml",
			"warning release 1.74.0: x knows the keys of 1.75 to 1.100: what an older release had cannot be judged"}},
		{name: "change-id old, other keys", text: "change-id = 137081\nbuild.ccache = false\nrust.lld = false", release: "1.89.0", want: []string{
			"note bootstrap.toml:1:1: 6 other changes since concern no key of this file; `x check -v` lists them"}},
		{name: "change-id old, a key of the file", text: "change-id = 139386\nrust.debug-assertions-tools = true\nrust.lld = true", release: "1.89.0", want: []string{
			"note bootstrap.toml:1:1: changed since: [INFO] New key rust.debug-assertions-tools. (https://github.com/rust-lang/rust/pull/140438)",
			"note bootstrap.toml:1:1: 3 other changes since concern no key of this file; `x check -v` lists them"}},
		{name: "a release to come", text: "change-id = 'ignore'", release: "9.99.0", want: []string{
			"warning release 9.99.0: x knows the keys of 1.75 to 1.100, and judges by the newest"}},
		{name: "change-id old", text: "change-id = 146929", facts: Facts{}, release: "1.92.0", want: []string{
			"note bootstrap.toml:1:1: changed since: [WARNING] rust.lld only says whether LLD is shipped; the default linker of x86_64-unknown-linux-gnu is LLD unless rust.lld is false or target.<triple>.default-linker-linux-override = \"off\". (https://github.com/rust-lang/rust/pull/147157)"}},
		{name: "LLD that is not there for the build", text: "change-id = 'ignore'\nrust.lld = false\nrust.bootstrap-override-lld = 'self-contained'", want: []string{
			"warning bootstrap.toml:3:6: x.py refuses this with --stage 1 or more: Trying to use self-contained lld as a linker, but LLD is not being added to the sysroot. Enable it with rust.lld = true."}},
		{name: "the same by its old name", text: "change-id = 'ignore'\nrust.lld = false\nrust.use-lld = 'self-contained'", facts: Facts{}, release: "1.91.0", want: []string{
			"warning bootstrap.toml:3:6: x.py refuses this with --stage 1 or more: Trying to use self-contained lld as a linker, but LLD is not being added to the sysroot. Enable it with rust.lld = true."}},
		{name: "LLD of the system for the build", text: "change-id = 'ignore'\nrust.lld = false\nrust.bootstrap-override-lld = 'external'"},
		{name: "profile too late", text: "change-id = 'ignore'", sets: []string{"profile=dist"}, want: []string{
			"warning --set profile=dist: a profile of --set has no effect: it is read before --set, as in x.py; write it into the file"}},
		{name: "stage 0", text: "change-id = 'ignore'\nbuild.dist-stage = 0", want: []string{
			"error bootstrap.toml:2:7: cannot dist anything on stage 0. Use at least stage 1 or set build.local-rebuild=true and use a stage0 compiler built from in-tree sources; set it to 1 or more"}},
		{name: "stage 0 rebuild", text: "change-id = 'ignore'\nbuild.dist-stage = 0\nbuild.local-rebuild = true"},
		{name: "paths", text: "change-id = 'ignore'\n[install]\nprefix = 'opt/rust'\nlibdir = '../lib'\nbindir = ''", want: []string{
			"error bootstrap.toml:3:1: got \"opt/rust\", want an absolute path; write the whole path",
			"error bootstrap.toml:4:1: \"../lib\" can leave the prefix and DESTDIR; write the path without \"..\"",
			"error bootstrap.toml:5:1: got an empty path; write a path or remove the key",
		}},
		{name: "sysconfdir of the FHS", text: "change-id = 'ignore'\ninstall.prefix = '/opt/rust'\ninstall.sysconfdir = '/etc/opt/rust'"},
		{name: "sysconfdir elsewhere", text: "change-id = 'ignore'\ninstall.prefix = '/opt/rust'\ninstall.sysconfdir = '/opt/etc'", want: []string{
			"warning bootstrap.toml:3:9: /opt/etc lies outside of the prefix /opt/rust; set install.sysconfdir = \"etc\" to keep it below the prefix"}},
		{name: "sysconfdir below the prefix", text: "change-id = 'ignore'\ninstall.prefix = '/opt/rust'\ninstall.sysconfdir = '/opt/rust/etc'"},
		{name: "unknown and unused targets", text: "change-id = 'ignore'\nbuild.target = ['x86_64-unknown-linux-gnu', 'x86_64-unknwon-none']\ntarget.wasm32-wasip1.cc = 'x'", want: []string{
			"warning bootstrap.toml:2:7: unknown target x86_64-unknwon-none: no such target; correct the name, unless it is a target of your own",
			"note target.wasm32-wasip1: neither build.build, build.host nor build.target names wasm32-wasip1; add it to build.target, or remove the section",
		}, facts: Facts{KnownTarget: func(t targets.Triple) error {
			if t == triple("x86_64-unknwon-none") {
				return errors.New("no such target")
			}
			return nil
		}}},
		{name: "targets of one's own", text: "change-id = 'ignore'\nbuild.build = 'x86_64-alpine-linux-musl'\nbuild.target = ['x86_64-alpine-linux-musl', 'aarch64-poky-linux', 'specs/my.json']", release: "1.90.0", builtin: true, want: []string{
			"note bootstrap.toml:2:7: rustc 1.90.0 has no target x86_64-alpine-linux-musl, aarch64-poky-linux: a target of your own needs its specification wherever it is used"}},
		{name: "a typo", text: "change-id = 'ignore'\nbuild.host = ['x86_64-unknwon-linux-gnu']\nbuild.target = ['x86_64-unknwon-linux-gnu', 'a-b', 'c-d', 'e-f']", release: "1.90.0", builtin: true, want: []string{
			"warning bootstrap.toml:2:7: rustc 1.90.0 has no target x86_64-unknwon-linux-gnu, a-b, c-d and 1 more; write x86_64-unknown-linux-gnu, unless it is a target of your own"}},
		{name: "unknown backend", text: "change-id = 'ignore'\nrust.codegen-backends = ['llvm', 'gccc']", want: []string{
			"warning bootstrap.toml:2:6: codegen backend \"gccc\" is not known and might fail; write llvm, cranelift, gcc, or remove it"}},
		{name: "a patched x.py", text: "change-id = 'ignore'\n[ferrocene]\na.b = 1\n[target.\"thumbv8m.main-none-eabi\"]\nself-contained = true", x: "bootstrap.allow-keys = ['ferrocene', 'target.*.self-contained']", want: []string{
			"note bootstrap.toml:2:2: it is allowed by bootstrap.allow-keys, and ignored",
			"note bootstrap.toml:5:1: it is allowed by bootstrap.allow-keys, and ignored"}},
		{name: "keys that need each other", text: "change-id = 'ignore'\nbuild.cargo-clippy = 'x'\nbuild.tools = ['cargo']\ntarget.x86_64-unknown-linux-gnu.llvm-has-rust-patches = true", want: []string{
			"error bootstrap.toml:4:33: use of `llvm-has-rust-patches` is restricted to cases where either submodules are disabled or llvm-config been provided; set build.submodules = false or an llvm-config",
			"warning bootstrap.toml:2:7: Using `build.cargo-clippy` without `build.rustc` usually fails due to toolchain conflict; set build.rustc to the same toolchain's",
			"note bootstrap.toml:3:7: build.tools has no effect while build.extended is false; set build.extended = true",
		}},
		{name: "x.toml without LLD", text: "change-id = 'ignore'\nrust.lld = false", x: "lld.jobserver = true", want: []string{
			"warning x.toml:1:5: it has no effect, because LLD is not shipped: rust.lld = false by bootstrap.toml:2:6; set rust.lld = true or remove it"}},
		{name: "threads without LLD", text: "change-id = 'ignore'\nrust.lld = false", x: "lld.threads = 'leaf,8'", want: []string{
			"warning x.toml:1:5: it has no effect, because LLD is not shipped: rust.lld = false by bootstrap.toml:2:6; set rust.lld = true or remove it"}},
		{name: "a distribution's toolchain", text: "change-id = 'ignore'", facts: Facts{LLD: input(false, false)}, want: []string{
			"note rust.lld: the input toolchain links with the system linker and has no rust-lld, so LLD is not shipped, although x86_64-unknown-linux-gnu is in build.host and its default linker is LLD; set lld.binary in x.toml to an LLD to ship, or set rust.lld = false"}},
		{name: "LLD asked for of a compiler without", text: "change-id = 'ignore'\nrust.lld = true", facts: Facts{LLD: input(false, true)}, want: []string{
			"warning bootstrap.toml:2:6: the compiler was built to use the system linker by default, although LLD is the default on this host, and it is shipped; give a compiler that was built so, set lld.baked-default = \"launcher\", or set target.x86_64-unknown-linux-gnu.default-linker-linux-override = \"off\""}},
		{name: "baked shim", text: "change-id = 'ignore'\nrust.lld = false", facts: Facts{LLD: input(true, true)}, want: []string{
			"note lld.baked-default: the compiler was built to link with LLD by default, but rust.lld = false by bootstrap.toml:2:6: gcc-ld will run the system linker"}},
		{name: "baked error", text: "change-id = 'ignore'\nrust.lld = false", x: "lld.baked-default = 'error'", facts: Facts{LLD: input(true, true)}, want: []string{
			"error x.toml:1:5: the compiler was built to link with LLD by default, but rust.lld = false by bootstrap.toml:2:6; give a compiler that was built with rust.lld = false, or set lld.baked-default = \"shim\""}},
		{name: "not baked", text: "change-id = 'ignore'", facts: Facts{LLD: input(false, true)}, want: []string{
			"note rust.lld: the compiler was built to use the system linker by default, although LLD is the default on this host, and it is shipped; give a compiler that was built so, set lld.baked-default = \"launcher\", or set target.x86_64-unknown-linux-gnu.default-linker-linux-override = \"off\""}},
		{name: "not baked, launcher", text: "change-id = 'ignore'", x: "lld.baked-default = 'launcher'", facts: Facts{LLD: input(false, true)}, want: []string{
			"note x.toml:1:5: the compiler was built to use the system linker by default, although LLD is the default on this host, and it is shipped: a launcher before rustc and clippy-driver will ask for LLD"}},
		{name: "foreign host", text: "change-id = 'ignore'\nrust.lld = true\nbuild.host = ['x86_64-unknown-linux-gnu', 'avr-none']", facts: Facts{LLD: lld.Facts{CanBuild: func(targets.Triple) error { return errors.New("no port") }}}, want: []string{
			"error bootstrap.toml:3:7: gcc-ld cannot be built for host avr-none: no port; set lld.wrapper in x.toml to a program for avr-none"}},
		{name: "low limit of memory", text: "change-id = 'ignore'\ndist.compression-profile = 'best'", x: "dist.max-memory = '30MiB'", facts: Facts{Memory: 4 << 30}, want: []string{
			"error x.toml:1:6: profile \"best\" needs at least 64 MiB for compression, got 30 MiB; raise it, or leave xz out of dist.compression-formats"}},
		{name: "limit that lowers the dictionary", text: "change-id = 'ignore'\ndist.compression-profile = 'best'", x: "dist.max-memory = '600MiB'", facts: Facts{Memory: 4 << 30}},
		{name: "little memory", text: "change-id = 'ignore'\ndist.compression-profile = 'best'", facts: Facts{Memory: 1 << 30}, want: []string{
			"error bootstrap.toml:2:6: profile \"best\" needs at least 1800 MiB for compression, got 1024 MiB; choose a weaker dist.compression-profile, limit dist.max-memory in x.toml, or leave xz out of dist.compression-formats"}},
		{name: "enough memory", text: "change-id = 'ignore'\ndist.compression-profile = 'best'", facts: Facts{Memory: 4 << 30}},
	} {
		t.Run(row.name, func(t *testing.T) {
			files := bootstrapToml(row.text)
			if row.x != "" {
				files["x.toml"] = row.x
			}
			if row.facts.KnownTarget == nil && !row.builtin {
				row.facts.KnownTarget = all
			}
			got := findings(Run(load(t, files, row.release, row.sets...), nil, row.facts))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAllChanges asks for all changes since change-id, which are only counted
// otherwise.
func TestAllChanges(t *testing.T) {
	c := load(t, bootstrapToml("change-id = 139386"), "1.90.0")
	few, all := Run(c, nil, Facts{}), Run(c, nil, Facts{Verbose: true})
	want := 0
	for _, change := range config.ChangesSince(139386) {
		if change.Since <= 90 {
			want++
		}
	}
	if len(all) != want || len(few) != 3 {
		t.Errorf("got %d notes and %d with all changes, want 3 (two of LLD, one that counts) and %d", len(few), len(all), want)
	}
}

func TestCheckFiles(t *testing.T) {
	const bin = "sys/lib/rustlib/x86_64-unknown-linux-gnu/bin/"
	program := &fstest.MapFile{Mode: 0o755}
	for _, row := range []struct {
		name, text, x string
		files         fstest.MapFS
		facts         Facts
		readOnly      string
		want          []string
	}{
		{name: "well", files: fstest.MapFS{bin + "rust-lld": program, bin + "rust-objcopy": program}},
		{name: "no rust-lld", want: []string{"warning /" + bin + "rust-lld: no such file: LLD cannot be shipped, although x86_64-unknown-linux-gnu is in build.host and its default linker is LLD; set lld.binary in x.toml to an LLD, or rust.lld = false"}},
		{name: "rust-lld asked for", text: "rust.lld = true", want: []string{"error /" + bin + "rust-lld: no such file: LLD cannot be shipped, although rust.lld = true by bootstrap.toml:2:6; set lld.binary in x.toml to an LLD, or rust.lld = false"}},
		{name: "a compiler that needs rust-lld", facts: Facts{LLD: input(true, false)}, want: []string{
			"error rust.lld: the input toolchain has no rust-lld, and its compiler was built to link with it; set lld.binary in x.toml to an LLD to ship, or set rust.lld = false"}},
		{name: "launcher without rust-lld", x: "lld.baked-default = 'launcher'", facts: Facts{LLD: input(false, false)}, want: []string{
			"warning rust.lld: the input toolchain links with the system linker and has no rust-lld, so LLD is not shipped, although x86_64-unknown-linux-gnu is in build.host and its default linker is LLD; set lld.binary in x.toml to an LLD to ship, or set rust.lld = false"}},
		{name: "launcher for a compiler without the option", text: "rust.lld = false", x: "lld.baked-default = 'launcher'", facts: Facts{LLD: input(true, true)}, want: []string{
			"error x.toml:1:5: the compiler refuses -Clinker-features=-lld for x86_64-unknown-linux-gnu, which a launcher would give it; set lld.baked-default = \"shim\""}},
		{name: "not needed", text: "rust.lld = false"},
		{name: "links", files: fstest.MapFS{
			bin + "rust-lld": {Mode: fs.ModeSymlink | 0o777, Data: []byte("/usr/bin/lld")}, bin + "rust-objcopy": {Mode: fs.ModeSymlink | 0o777, Data: []byte("real")}, bin + "real": program,
		}, want: []string{
			"error /" + bin + "rust-lld: it is a broken symlink: file does not exist; set lld.binary in x.toml to an LLD, or rust.lld = false",
			"warning /" + bin + "rust-objcopy: it is a symlink, which archives cannot hold: the file that it points to will be packaged, and x.py would stop (generated a symlink in a tarball); put the file itself there",
		}},
		{name: "not executable, a directory", files: fstest.MapFS{bin + "rust-lld": {Mode: 0o644}, bin + "rust-objcopy/x": program}, want: []string{
			"error /" + bin + "rust-lld: it is not executable; make it executable",
			"error /" + bin + "rust-objcopy: it is not a regular file; remove it, or put the file itself there",
		}},
		{name: "programs of x.toml", x: "[lld]\nbinary = '/opt/lld'\nwrapper = 'wrap'", text: "build.rustc = '/usr/bin/rustc'\nbuild.cargo = 'cargo'",
			files: fstest.MapFS{"opt/lld": {Mode: fs.ModeSymlink | 0o777, Data: []byte("../here/wrap")}, "here/wrap": program}},
		{name: "site wrapper", x: "[lld]\nbinary = '/opt/lld'\nsite-wrapper = '/gone'", files: fstest.MapFS{"opt/lld": program}, want: []string{
			"warning /gone: file does not exist; it must be where the toolchain is used"}},
		{name: "read-only directories", text: "rust.lld = false\ninstall.sysconfdir = 'etc'", readOnly: "/here/build", want: []string{
			"error build.build-dir: writing to /here/build: permission denied; choose another build.build-dir"}},
		{name: "read-only prefix", text: "rust.lld = false", readOnly: "/dest/usr/local", facts: Facts{Command: "install", Destdir: "/dest"}, want: []string{
			"error install.prefix: writing to /dest/usr/local: permission denied; choose another install.prefix, or install into a DESTDIR"}},
		{name: "disk", text: "rust.lld = false", facts: Facts{InputSize: 1000 << 20}, want: []string{
			"error build.build-dir: /here/build has 100 MiB free, the archives need about 920 MiB; free some space, choose another build.build-dir, or fewer dist.compression-formats"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			files := bootstrapToml("change-id = 'ignore'\n" + row.text)
			if row.x != "" {
				files["x.toml"] = row.x
			}
			f := row.facts
			f.Sysroot, f.Dir = "/sys", "/here"
			f.Files = memFiles{files: row.files, readOnly: row.readOnly, free: 100 << 20}
			got := findings(Run(load(t, files, ""), nil, f))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
