package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"x.go/targets"
)

// loadErrors returns the lines of Load's error.
func loadErrors(t testing.TB, src Source) []string {
	t.Helper()
	_, err := Load(src)
	if err == nil {
		return nil
	}
	var list Errors
	if !errors.As(err, &list) {
		t.Fatalf("got an error of type %T, want Errors: %v", err, err)
	}
	return strings.Split(err.Error(), "\n")
}

func TestErrorsAllAtOnce(t *testing.T) {
	got := loadErrors(t, source(map[string]string{"bootstrap.toml": `
change-id = "soon"
[rust]
ldd = false
optimize = "fast"
lto = "full"
channel = 3
bootstrap-override-lld = "gold"
[bild]
docs = true
[dist]
compression-formats = ["gz", "bz2"]
upload-addr = ["a", "b"]
[target.x86_64-unknown-linux-gnu]
default-linker-linux-override = "on"
profiler = 1
[target."bad triple"]
cc = "cc"
[build]
jobs = -1
verbose = -4
host = "x86_64-unknown-linux-gnu"
docs = true
docs = false
`}))
	want := []string{
		`bootstrap.toml:2:13: change-id: got string "soon", expected "ignore" or an integer for change-id`,
		"bootstrap.toml:4:1: rust.ldd: unknown field `ldd`; did you mean `lld`?",
		`bootstrap.toml:5:12: rust.optimize: unrecognized option for rust optimize: "fast", expected one of 0, 1, 2, 3, "s", "z", true, false`,
		`bootstrap.toml:6:7: rust.lto: Invalid value for rustc LTO: full, want "off", "thin-local", "thin" or "fat"`,
		`bootstrap.toml:7:11: rust.channel: got integer 3, want "auto-detect", "dev", "nightly", "beta" or "stable"`,
		`bootstrap.toml:8:26: rust.bootstrap-override-lld: unknown mode gold, want one of true, 'self-contained' or 'external'`,
		"bootstrap.toml:9:2: bild: unknown field `bild`; did you mean `build`?",
		`bootstrap.toml:12:30: dist.compression-formats: got "bz2", want "gz", "xz" or "zst"`,
		`bootstrap.toml:13:15: dist.upload-addr: got an array, want a string`,
		"bootstrap.toml:15:33: target.x86_64-unknown-linux-gnu.default-linker-linux-override: unknown variant `on`, want \"off\" or \"self-contained-lld-cc\"",
		`bootstrap.toml:16:12: target.x86_64-unknown-linux-gnu.profiler: got integer 1, want a boolean or a string (data did not match any variant of untagged enum StringOrBool)`,
		`bootstrap.toml:17:9: target.bad triple: parsing target triple "bad triple": bad character ' ' at byte 3; a section is called [target.<triple>]`,
		`bootstrap.toml:20:8: build.jobs: got integer -1, want 0 to 4294967295`,
		`bootstrap.toml:21:11: build.verbose: got integer -4, want 0 to 9223372036854775807`,
		`bootstrap.toml:22:8: build.host: got string "x86_64-unknown-linux-gnu", want an array of target triples`,
		`bootstrap.toml:24:1: build.docs: set twice, first on line 23`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHints(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"[rust]\n\"a\\nb\\u001b[2K\" = 1", "bootstrap.toml:2:1: rust.\"a\\nb\\u001B[2K\": unknown field `\"a\\nb\\u001B[2K\"`"},
		{"[build]\nlld = true", "bootstrap.toml:2:1: build.lld: unknown field `lld`; did you mean `lldb`?; hint: try moving `lld` to the `rust` section"},
		{"[rust]\nprofile = 'dist'", "bootstrap.toml:2:1: rust.profile: unknown field `profile`; hint: try using `profile` as a top level key"},
		{"[rust]\nbuild = 1", "bootstrap.toml:2:1: rust.build: unknown field `build`; hint: try moving `build` to the `build` section"},
		{"[rust]\ndist = 1", "bootstrap.toml:2:1: rust.dist: unknown field `dist`; hint: section name `dist` used as a key within a section"},
		{"lld = true", "bootstrap.toml:1:1: lld: unknown field `lld`; hint: try moving `lld` to the `rust` section"},
		{"optimize = true", "bootstrap.toml:1:1: optimize: unknown field `optimize`; hint: `optimize` would be valid in section `llvm` or in section `rust`"},
		{"musl-root = 'x'", "bootstrap.toml:1:1: musl-root: unknown field `musl-root`; hint: `musl-root` would be valid in section `rust` or in section `target.<triple>`"},
		{"[rust]\nvendor = true", "bootstrap.toml:2:1: rust.vendor: unknown field `vendor`; hint: `vendor` would be valid in section `build` or in section `dist`"},
		{"[dist]\nmax-memory = 1", "bootstrap.toml:2:1: dist.max-memory: unknown field `max-memory`; hint: `max-memory` belongs to section `dist` of x.toml"},
		{"[rust]\ndescription = 'x'", "bootstrap.toml:2:1: rust.description: unknown field `description`: removed in 1.90 (rust-lang/rust#143926); write build.description instead"},
		{"[dist]\nmissing-tools = true", "bootstrap.toml:2:1: dist.missing-tools: unknown field `missing-tools`: removed in 1.80 (rust-lang/rust#125535); remove it"},
		{"changelog-seen = 2", "bootstrap.toml:1:1: changelog-seen: unknown field `changelog-seen`: removed in 1.79 (rust-lang/rust#123711); write change-id instead"},
		{"rust = 3", "bootstrap.toml:1:8: rust: got integer 3, want a table"},
		{"[[rust]]\nlld = true", "bootstrap.toml:1:3: rust: got an array of tables, want a table"},
		{"[target]\nlld = true", "bootstrap.toml:2:1: target.lld: parsing target triple \"lld\": want at least two words joined by '-', such as x86_64-unknown-linux-gnu; a section is called [target.<triple>]"},
		{"profile = 'codegen'", "bootstrap.toml:1:1: profile: unknown profile \"codegen\"; write compiler instead, which replaced it (rust-lang/rust#121278)"},
		{"dist.compression-formats = []", "bootstrap.toml:1:28: dist.compression-formats: dist.compression-formats can't be empty, want some of \"gz\", \"xz\" or \"zst\""},
		{"rust.codegen-units = 9999999999", "bootstrap.toml:1:22: rust.codegen-units: got integer 9999999999, want 0 to 4294967295"},
		{"rust.debuginfo-level = 3", "bootstrap.toml:1:24: rust.debuginfo-level: got integer 3, want 0, 1, 2, \"none\", \"line-directives-only\", \"line-tables-only\", \"limited\" or \"full\""},
		{"'rust.lld' = true", "bootstrap.toml:1:1: rust.lld: unknown field `rust.lld`"},
		{"['pgo.rustc']\nuse = 'x'", "bootstrap.toml:1:2: pgo.rustc: unknown field `pgo.rustc`"},
		{"[build.tool.'']\nfeatures = []", "bootstrap.toml:1:13: build.tool.: got \"\", want a name"},
		{"[target.'*']\ncc = 'x'", "bootstrap.toml:1:9: target.*: got \"*\", want a name"},
		{"ä = 1", "bootstrap.toml:1:1: invalid character at start of key: U+00C3 'Ã'"},
		{"'ä' = 1\n[rust] # ä\n  'ä' = 'ä'", "bootstrap.toml:1:1: ä: unknown field `ä`|bootstrap.toml:3:3: rust.ä: unknown field `ä`"},
	} {
		got := strings.Join(loadErrors(t, source(map[string]string{"bootstrap.toml": row.text})), "|")
		if got != row.want {
			t.Errorf("%q:\ngot  %s\nwant %s", row.text, got, row.want)
		}
	}
}

func TestHintsOfXToml(t *testing.T) {
	got := loadErrors(t, source(map[string]string{"x.toml": "rust.lld = true\n[lld]\nbinry = 'x'\n[dist]\ncompression-formats = ['gz']\n"}))
	want := []string{
		"x.toml:1:1: rust: unknown field `rust`; hint: section `rust` belongs to bootstrap.toml",
		"x.toml:3:1: lld.binry: unknown field `binry`; did you mean `binary`?",
		"x.toml:5:1: dist.compression-formats: unknown field `compression-formats`; hint: `compression-formats` belongs to section `dist` of bootstrap.toml",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTooManyErrors(t *testing.T) {
	got := loadErrors(t, source(bootstrapToml(strings.Repeat("[rust]\nldd = 1\n", 10_000))))
	if len(got) != 101 || !strings.HasSuffix(got[100], "got more than 100 errors, the rest is left out") {
		t.Errorf("got %d errors, the last is %q", len(got), got[len(got)-1])
	}
}

func TestSyntaxErrorsGoOn(t *testing.T) {
	got := loadErrors(t, source(map[string]string{"bootstrap.toml": "[rust]\nlld = yes\nldd = 1\nstrip = tru\n[build\ndocs = 1\n[dist]\nvendor = 1\n"}))
	want := []string{
		"bootstrap.toml:2:7: unexpected character U+0079 'y' at start of value",
		"bootstrap.toml:3:1: rust.ldd: unknown field `ldd`; did you mean `lld`?",
		"bootstrap.toml:4:9: expected keyword \"true\"",
		"bootstrap.toml:5:7: expected ']' to close table name",
		"bootstrap.toml:8:10: dist.vendor: got integer 1, want a boolean",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDuplicateTables(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"[rust]\n[rust]", "bootstrap.toml:2:2: rust: defined twice, first on line 1"},
		{"rust.lld = true\n[rust]", "bootstrap.toml:2:2: rust: defined twice, first on line 1"},
		{"rust = {lld = true}\n[rust]", "bootstrap.toml:2:2: rust: defined twice, first on line 1"},
		{"rust = {lld = true, lld = false}", "bootstrap.toml:1:21: rust.lld: set twice, first on line 1"},
		{"rust = {}\nrust.lld = true", "bootstrap.toml:2:1: rust: cannot add to what was set on line 1"},
		{"[target.a-b]\n[target]\na-b.cc = 'x'", "bootstrap.toml:3:1: target.a-b: cannot add to what was set on line 1"},
		{"[target.a-b]\n[target]\n[target.a-c]", ""},
		{"rust.lld = true\nbuild.docs = true\nrust.debug = true", ""},
		{"[build.tool.miri]\nfeatures = []\n[build]\ntool.cargo.features = ['x']", "bootstrap.toml:4:1: build.tool: cannot add to what was set on line 1"},
	} {
		if got := strings.Join(loadErrors(t, source(map[string]string{"bootstrap.toml": row.text})), "|"); got != row.want {
			t.Errorf("%q:\ngot  %s\nwant %s", row.text, got, row.want)
		}
	}
}

func TestSetLikeUpstream(t *testing.T) {
	for _, row := range []struct {
		name string
		sets []string
		key  string
		want string // the value as TOML, or the error
	}{
		{"bare string", []string{"rust.channel=stable"}, "rust.channel", `"stable"`},
		{"quoted", []string{`rust.channel="beta"`}, "rust.channel", `"beta"`},
		{"path", []string{"target.x86_64-unknown-linux-gnu.llvm-config=/usr/bin/llvm-config"}, "target.x86_64-unknown-linux-gnu.llvm-config", `"/usr/bin/llvm-config"`},
		{"number for a string is quoted", []string{"build.description=1.5"}, "build.description", `"1.5"`},
		{"boolean for a string is quoted", []string{"install.prefix=true"}, "install.prefix", `"true"`},
		{"list", []string{`build.tools=["cargo", "clippy"]`}, "build.tools", `["cargo", "clippy"]`},
		{"nested table", []string{`llvm.build-config={"foo" = "bar"}`}, "llvm.build-config", `{ foo = "bar" }`},
		{"top level", []string{"change-id=1"}, "change-id", "1"},
		{"ignore", []string{"change-id=ignore"}, "change-id", `"ignore"`},
		{"section as a table", []string{"rust={lld=false}"}, "rust.lld", "false"},
		{"key of x.toml", []string{"dist.max-memory=2GiB"}, "dist.max-memory", "2147483648"},
		{"value with =", []string{"llvm.cflags=-DA=1"}, "llvm.cflags", `"-DA=1"`},
		{"empty", []string{"build.description="}, "build.description", `""`},
		{"two keys", []string{"rust.lld=false", "rust.debug=true"}, "rust.lld", "false"},
		{"quotes stop the retry", []string{`rust.channel=a"b"`}, "", "--set rust.channel=a\"b\": unexpected character U+0061 'a' at start of value"},
		{"not a boolean", []string{"rust.lld=maybe"}, "", `--set rust.lld=maybe: rust.lld: got string "maybe", want a boolean`},
		{"twice", []string{"rust.omit-git-hash=true", "rust.omit-git-hash=true"}, "", "--set rust.omit-git-hash=true: rust.omit-git-hash: overriding existing option: `omit_git_hash`, set first by --set rust.omit-git-hash=true"},
		{"unknown", []string{"rust.ldd=true"}, "", "--set rust.ldd=true: rust.ldd: unknown field `ldd`; did you mean `lld`?"},
		{"nothing", []string{""}, "", "--set : got no key, want key=value"},
		{"no value", []string{"rust.lld"}, "", "--set rust.lld: expected '=' after key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := Load(source(nil, row.sets...))
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = toTOML(c.settings[row.key][0].Value)
			}
			if got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestIncludeErrors(t *testing.T) {
	src := source(map[string]string{
		"bootstrap.toml": "include = [\n  'none.toml',\n  'a.toml',\n]\n",
		"a.toml":         "include = ['sub/b.toml']\nrust.ldd = 1\n",
		"sub/b.toml":     "include = ['../a.toml', 7]\n",
	})
	want := []string{
		"bootstrap.toml:2:3: include: config file none.toml not found: file does not exist",
		"a.toml:2:6: rust.ldd: unknown field `ldd`; did you mean `lld`?",
		"sub/b.toml:1:25: include: got integer 7, want a string",
	}
	if diff := cmp.Diff(want, loadErrors(t, src)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for files, want := range map[string]string{
		"include = ['bootstrap.toml']": "bootstrap.toml:1:12: include: Cyclic inclusion detected: 'bootstrap.toml' is being included again before its previous inclusion was fully processed.",
		"include = ['b.toml']":         "b.toml:1:12: include: Cyclic inclusion detected: 'bootstrap.toml' is being included again before its previous inclusion was fully processed.",
	} {
		got := loadErrors(t, source(map[string]string{"bootstrap.toml": files, "b.toml": "include = ['./bootstrap.toml']"}))
		if diff := cmp.Diff([]string{want}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	// The same file twice is no cycle.
	c := load(t, source(map[string]string{"bootstrap.toml": "include = ['a', 'b']", "a": "include = ['c']", "b": "include = ['c']", "c": "rust.lld = false"}))
	if c.Rust.LLD != targets.No {
		t.Errorf("rust.lld: got %v, want false", c.Rust.LLD)
	}
}

// TestIncludeBomb checks that files which include each other often end in an
// error instead of an endless run.
func TestIncludeBomb(t *testing.T) {
	files := map[string]string{}
	for i := range 30 {
		next := string(rune('A' + i + 1))
		files[string(rune('A'+i))] = "include = ['" + next + "', '" + next + "']"
	}
	files[string(rune('A'+30))] = ""
	files["bootstrap.toml"] = "include = ['A']"
	if got := loadErrors(t, source(files)); len(got) == 0 || !strings.Contains(got[0], "more than 256 included files") {
		t.Errorf("got %.200q", got)
	}
}

// TestBounds holds what one configuration can make x read and keep.
func TestBounds(t *testing.T) {
	big := "#" + strings.Repeat("x", 3<<20) + "\n"
	files := map[string]string{"bootstrap.toml": "include = [" + strings.Repeat("'i.toml',", 9) + "]", "i.toml": big}
	want := []string{"bootstrap.toml:1:12: include: got more than 16777216 bytes of included files"}
	if got := loadErrors(t, source(files)); len(got) != 1 || !strings.HasSuffix(got[0], "bytes of included files") {
		t.Errorf("includes: got %q, want %q", got, want)
	}
	many := "build.target = [" + strings.Repeat("'a-b',", 1001) + "]"
	want = []string{"bootstrap.toml:1:16: build.target: got 1001 targets, want at most 1000"}
	if diff := cmp.Diff(want, loadErrors(t, source(bootstrapToml(many)))); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

// TestManyAllowedKeys has a key of a patched x.py for many targets.
func TestManyAllowedKeys(t *testing.T) {
	var b strings.Builder
	for i := range 2 * maxErrors {
		fmt.Fprintf(&b, "[target.a-t%d]\nself-contained = true\n", i)
	}
	src := source(map[string]string{"bootstrap.toml": b.String(), "x.toml": "bootstrap.allow-keys = ['target.*.self-contained']"})
	if got := len(load(t, src).Notices()); got < 2*maxErrors {
		t.Errorf("got %d notices, want one for each of %d keys", got, 2*maxErrors)
	}
	if got, want := len(loadErrors(t, source(bootstrapToml(b.String())))), maxErrors+1; got != want {
		t.Errorf("not allowed: got %d errors, want %d", got, want)
	}
}

// TestSpecFile names a target by the file of its specification.
func TestSpecFile(t *testing.T) {
	c := load(t, source(bootstrapToml("build.target = ['specs/my.json', 'x86_64-unknown-linux-gnu']\n[target.my-own]\ncc = 'cc'")))
	if got := c.Build.Target[0].String(); got != "my" || !c.HasSpecFile(c.Build.Target[0]) || c.HasSpecFile(c.Build.Target[1]) {
		t.Errorf("got target %q, by a file: %v, want my by a file", got, c.HasSpecFile(c.Build.Target[0]))
	}
	again := load(t, source(bootstrapToml(c.TOML(RenderOptions{}))))
	if got := again.Build.Target[0].String(); got != "my" {
		t.Errorf("rendered and read again: got %q, want my", got)
	}
	if got := loadErrors(t, source(bootstrapToml("build.target = ['specs/.json', 'a b.json']"))); len(got) != 1 {
		t.Errorf("names that are none: got %q, want an error", got)
	}
}

func TestSearchOrder(t *testing.T) {
	all := map[string]string{
		"p.toml": "build.description = 'p'", "e.toml": "build.description = 'e'",
		"bootstrap.toml": "build.description = 'dir'", "/src/bootstrap.toml": "build.description = 'src'",
		"config.toml": "build.description = 'old'", "/src/config.toml": "build.description = 'old src'",
	}
	src := source(all)
	src.Path, src.SrcDir = "p.toml", "/src"
	src.Getenv = func(name string) string {
		if name == "RUST_BOOTSTRAP_CONFIG" {
			return "e.toml"
		}
		return ""
	}
	for _, want := range []string{"p", "e", "dir", "src", "old", "old src", ""} {
		if got := load(t, src).Build.Description; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		switch want {
		case "p":
			src.Path = ""
		case "e":
			src.Getenv = nil
		default:
			for name, text := range all {
				if text == "build.description = '"+want+"'" {
					delete(all, name)
				}
			}
		}
	}
	src.Path = "gone.toml"
	if got, want := strings.Join(loadErrors(t, src), "|"), `config file "gone.toml", named by --config: file does not exist; name an existing file`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnreadableFile(t *testing.T) {
	src := Source{ReadFile: func(path string) ([]byte, error) {
		if path == "bootstrap.toml" {
			return nil, fs.ErrPermission
		}
		return nil, fs.ErrNotExist
	}}
	if got, want := strings.Join(loadErrors(t, src), "|"), "bootstrap.toml: reading the file: permission denied"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTarball(t *testing.T) {
	files := map[string]string{"git-commit-info": "x", "src/ci/channel": "beta\n"}
	c := load(t, source(files))
	if c.Profile != "dist" || c.Rust.Channel != "beta" || !c.Build.Extended {
		t.Errorf("got profile %q, channel %q, extended %v; want dist, beta, true", c.Profile, c.Rust.Channel, c.Build.Extended)
	}
	files[".git"] = ""
	c = load(t, source(files))
	if c.Profile != "" || c.Rust.Channel != "dev" {
		t.Errorf("got profile %q, channel %q; want none, dev", c.Profile, c.Rust.Channel)
	}
	c = load(t, source(files, "rust.channel=auto-detect"))
	if c.Rust.Channel != "beta" {
		t.Errorf("got channel %q, want beta", c.Rust.Channel)
	}
}

func TestKeysOfRelease(t *testing.T) {
	src := source(map[string]string{"bootstrap.toml": "[rust]\ndescription = 'old'\n[target.x86_64-unknown-linux-gnu]\ndefault-linker-linux-override = 'off'\n"})
	src.Release = release(t, "1.88.0")
	want := []string{"bootstrap.toml:4:1: target.x86_64-unknown-linux-gnu.default-linker-linux-override: unknown field `default-linker-linux-override`: it came with 1.92, this file is read as of 1.88; remove it"}
	if diff := cmp.Diff(want, loadErrors(t, src)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A key without effect is taken, with a warning, where its release can be wrong by one.
	src = source(bootstrapToml("change-id = 'ignore'\nbuild.windows-rc = 'rc'"))
	src.Release = release(t, "1.91.0")
	warned := texts(load(t, src).Notices())
	if diff := cmp.Diff([]string{"warning bootstrap.toml:2:7: it came with 1.92, this file is read as of 1.91; remove it"}, warned); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	src = source(nil, "rust.description=old")
	src.Release = release(t, "1.88.0")
	if got := load(t, src).Build.Description; got != "old" {
		t.Errorf("build.description by its old name: got %q, want %q", got, "old")
	}
}

func TestFlags(t *testing.T) {
	src := source(map[string]string{"bootstrap.toml": "build.jobs = 3"}, "build.docs=true")
	src.Flags = []Flag{{"--jobs", "build.jobs", "2"}, {"--host", "build.host", "aarch64-apple-darwin,x86_64-unknown-linux-gnu"}, {"--docs", "build.docs", "false"}}
	c := load(t, src)
	if c.Build.Jobs != 2 || c.Build.Docs {
		t.Errorf("got jobs %d, docs %v; want 2, false", c.Build.Jobs, c.Build.Docs)
	}
	same := cmp.Comparer(func(a, b targets.Triple) bool { return a == b })
	if diff := cmp.Diff([]targets.Triple{triple("aarch64-apple-darwin"), triple(linux)}, c.Build.Target, same); diff != "" {
		t.Errorf("build.target (-want +got):\n%s", diff)
	}
	src.Flags = []Flag{{"--jobs", "build.jobs", "many"}}
	if got, want := strings.Join(loadErrors(t, src), "|"), `--jobs: build.jobs: got string "many", want an integer that is not negative`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
