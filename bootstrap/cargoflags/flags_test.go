package cargoflags_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/cargoflags"
	"x.go/targets"
)

// lookup finds a builtin target.
func lookup(t testing.TB, name string) *targets.Spec {
	t.Helper()
	triple, err := targets.ParseTriple(name)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := targets.Builtin().Lookup(triple)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// source returns a Source of files and variables.
func source(files, env map[string]string) cargoflags.Source {
	return cargoflags.Source{
		Dir: "/w/p", CargoHome: "/home/.cargo",
		Lookupenv: func(key string) (string, bool) { v, ok := env[key]; return v, ok },
		ReadFile: func(path string) ([]byte, error) {
			text, ok := files[path]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
	}
}

// project has every kind of source. What cargo 1.95 does with it was seen with
// RUSTC set to a program that prints its arguments.
var project = map[string]string{
	"/w/p/.cargo/config.toml": `
build.rustflags = ["--cfg", "build_near"]
[target.x86_64-unknown-linux-gnu]
rustflags = ["--cfg", "triple_near"]
linker = "tools/cc"
[target.'cfg(unix)']
rustflags = ["--cfg", "cfg_near"]
[target.'cfg(all(target_os = "linux", not(windows)))']
rustflags = ["--cfg", "cfg_all"]
[target.'cfg(windows)']
rustflags = ["--cfg", "cfg_windows"]
linker = "lld-link"
`,
	"/w/.cargo/config.toml": `
[build]
rustflags = ["--cfg", "build_far"]
[target.x86_64-unknown-linux-gnu]
rustflags = ["--cfg", "triple_far"]
linker = "far"
[target.'cfg(unix)']
rustflags = ["--cfg", "cfg_far"]
`,
	"/home/.cargo/config.toml": `build.rustflags = ["--cfg", "build_home"]`,
}

func TestFlags(t *testing.T) {
	const linux = "x86_64-unknown-linux-gnu"
	tests := []struct {
		name, target string
		files, env   map[string]string
		want         string // arguments, without --cfg
		notes        int
	}{
		{"triple and conditions", linux, project, nil, "-Clinker=/w/p/tools/cc triple_far triple_near cfg_all cfg_far cfg_near", 0},
		{"other target", "wasm32-unknown-unknown", project, nil, "build_home build_far build_near", 0},
		{"condition's linker", "x86_64-pc-windows-msvc", project, nil, "-Clinker=lld-link cfg_windows", 0},
		{"environment of the triple", linux, project, map[string]string{
			"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS": "--cfg triple_env",
			"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER":    "bin/env",
		}, "-Clinker=/w/p/bin/env triple_far triple_near triple_env cfg_all cfg_far cfg_near", 0},
		{"environment of build", "wasm32-unknown-unknown", project, map[string]string{"CARGO_BUILD_RUSTFLAGS": " --cfg  e "}, "build_home build_far build_near e", 0},
		{"RUSTFLAGS", linux, project, map[string]string{"RUSTFLAGS": "--cfg  x"}, "-Clinker=/w/p/tools/cc x", 0},
		{"empty RUSTFLAGS", linux, project, map[string]string{"RUSTFLAGS": ""}, "-Clinker=/w/p/tools/cc", 0},
		{"encoded", linux, project, map[string]string{"RUSTFLAGS": "-x", "CARGO_ENCODED_RUSTFLAGS": "-a b\x1f-c"}, "-Clinker=/w/p/tools/cc -a b -c", 0},
		{"empty encoded", linux, project, map[string]string{"RUSTFLAGS": "-x", "CARGO_ENCODED_RUSTFLAGS": ""}, "-Clinker=/w/p/tools/cc", 0},
		{"nearest string", linux, map[string]string{
			"/w/p/.cargo/config.toml": "include = [\"more.toml\", {path=\"none.toml\", optional=true}]\nbuild.rustflags = \"near  1\"",
			"/w/p/.cargo/more.toml":   "build.rustflags = \"included\"\nbuild.target = \"a-b\"",
		}, map[string]string{"CARGO_BUILD_RUSTFLAGS": "e"}, "near 1 e", 0},
		{"old name", linux, map[string]string{
			"/w/p/.cargo/config":      "build.rustflags = [\"old\"]",
			"/w/p/.cargo/config.toml": "build.rustflags = [\"new\"]",
		}, nil, "old", 0},
		{"unknown condition", linux, map[string]string{
			"/w/p/.cargo/config.toml": `target.'cfg(target_feature = "sse2")'.rustflags = ["-x"]`,
		}, nil, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := cargoflags.Load(source(tt.files, tt.env))
			if err != nil {
				t.Fatal(err)
			}
			flags, notes, err := c.Flags(lookup(t, tt.target))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range flags {
				if f.Arg != "--cfg" {
					got = append(got, f.Arg)
				}
				if f.Origin == "" {
					t.Errorf("%s has no origin", f.Arg)
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("flags (-want +got)\n%s", diff)
			}
			if len(notes) != tt.notes {
				t.Errorf("got notes %q, want %d", notes, tt.notes)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	c, err := cargoflags.Load(source(project, nil))
	if err != nil {
		t.Fatal(err)
	}
	flags, _, err := c.Flags(lookup(t, "x86_64-pc-windows-msvc"))
	if err != nil {
		t.Fatal(err)
	}
	want := []cargoflags.Flag{
		{Arg: "-Clinker=lld-link", Origin: "/w/p/.cargo/config.toml: target.'cfg(windows)'.linker"},
		{Arg: "--cfg", Origin: "/w/p/.cargo/config.toml: target.'cfg(windows)'.rustflags"},
		{Arg: "cfg_windows", Origin: "/w/p/.cargo/config.toml: target.'cfg(windows)'.rustflags"},
	}
	if diff := cmp.Diff(want, flags); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTarget(t *testing.T) {
	for text, want := range map[string]string{
		`build.target = "wasm32-wasip1"`:    "wasm32-wasip1",
		`build.target = "my.json"`:          "/w/p/my.json",
		`build.target = ["a-b-c", "d-e-f"]`: "",
		``:                                  "",
	} {
		c, err := cargoflags.Load(source(map[string]string{"/w/p/.cargo/config.toml": text}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := c.Target(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	const near = "/w/p/.cargo/config.toml"
	tests := []struct {
		name, text, want string
	}{
		{"syntax", "a = ", `reading cargo's configuration: /w/p/.cargo/config.toml:1:`},
		{"type", "build.rustflags = 3", `/w/p/.cargo/config.toml:1:19: build.rustflags: got integer 3, want a string or a list of strings`},
		{"element", "build.rustflags = [3]", `/w/p/.cargo/config.toml:1:20: build.rustflags: got integer 3, want a string`},
		{"table", "build = 3", `/w/p/.cargo/config.toml:1:9: build: got integer 3, want a table`},
		{"linker", "target.x86_64-unknown-linux-gnu.linker = 3", `linker: got integer 3, want a string`},
		{"include", `include = "none.toml"`, `include "none.toml": no such file`},
		{"include loop", `include = "config.toml"`, `more than 100 files are included`},
		{"include type", `include = [3]`, `/w/p/.cargo/config.toml:1:12: include: got integer 3, want a path`},
		{"two linkers", "[target.'cfg(unix)']\nlinker='a'\n[target.'cfg(not(windows))']\nlinker='b'", `two conditions give a linker`},
		{"condition", "[target.'cfg(all(unix)']\nlinker='a'", `want a comma or a closing bracket`},
		{"not", "[target.'cfg(not(unix, windows))']\nlinker='a'", `got not() of 2 conditions`},
		{"include table", `include = {}`, `/w/p/.cargo/config.toml:1:11: include.path: got a table, want a string`},
		{"merge", "build.rustflags = ''", `cargo cannot merge them`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{near: tt.text, "/w/.cargo/config.toml": "build.rustflags = []"}
			c, err := cargoflags.Load(source(files, nil))
			if err == nil {
				_, _, err = c.Flags(lookup(t, "x86_64-unknown-linux-gnu"))
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
		})
	}
}

// FuzzFlags feeds any configuration: nothing may panic, and every flag has an
// origin.
func FuzzFlags(f *testing.F) {
	for _, text := range project {
		f.Add(text)
	}
	f.Add("include = 'config.toml'")
	f.Add(fmt.Sprintf("target.'cfg(%s)'.linker = ''", strings.Repeat("not(", 100)))
	spec := lookup(f, "x86_64-unknown-linux-gnu")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := cargoflags.Load(source(map[string]string{"/w/p/.cargo/config.toml": text}, nil))
		if err != nil {
			return
		}
		c.Target()
		flags, _, err := c.Flags(spec)
		if err != nil {
			return
		}
		for _, f := range flags {
			if f.Origin == "" {
				t.Errorf("%q has no origin", f.Arg)
			}
		}
	})
}
