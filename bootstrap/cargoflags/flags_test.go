package cargoflags_test

import (
	"fmt"
	"io/fs"
	"slices"
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
		Env: environ(env),
		ReadFile: func(path string) ([]byte, error) {
			text, ok := files[path]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
	}
}

func environ(env map[string]string) []string {
	var out []string
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	return out
}

// ask asks for the flags of a builtin target, of which only the registry is known.
func ask(t testing.TB, c cargoflags.Config, target string) (cargoflags.Answer, error) {
	t.Helper()
	spec := lookup(t, target)
	return c.Flags(cargoflags.Question{
		Target: cargoflags.Target{Name: target}, Host: "x86_64-unknown-linux-gnu",
		Cfgs: func([]string) (cargoflags.Cfgs, error) { return cargoflags.SpecCfgs(spec, nil), nil },
	})
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
		}, nil, "old", 1},
		{"only the space splits RUSTFLAGS", linux, nil, map[string]string{"RUSTFLAGS": "a\tb  c\n"}, "a\tb c", 0},
		{"every blank splits text", linux, map[string]string{"/w/p/.cargo/config.toml": `build.rustflags = "a\tb\u00a0c"`}, nil, "a b c", 0},
		{"no UTF-8", linux, project, map[string]string{"RUSTFLAGS": "-x\xff", "CARGO_ENCODED_RUSTFLAGS": "\xff"}, "-Clinker=/w/p/tools/cc triple_far triple_near cfg_all cfg_far cfg_near", 2},
		{"separator at the end", linux, nil, map[string]string{"CARGO_ENCODED_RUSTFLAGS": "a\x1f"}, "a ", 0},
		{"dotted triple", "thumbv8m.main-none-eabihf", map[string]string{
			"/w/p/.cargo/config.toml": "[target.thumbv8m.main-none-eabihf]\nlinker = 'found'\n[target.'thumbv8m.main-none-eabihf']\nrustflags = ['unseen']",
		}, map[string]string{"CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_RUSTFLAGS": "env"}, "-Clinker=found env", 1},
		{"roots", linux, map[string]string{
			"/w/p/.cargo/config.toml":   "include = ['sub/more.toml']",
			"/w/p/.cargo/sub/more.toml": "[target.x86_64-unknown-linux-gnu]\nlinker = './cc'",
		}, nil, "-Clinker=/w/p/.cargo/./cc", 0},
		{"raw names, keywords and blanks", linux, map[string]string{
			"/w/p/.cargo/config.toml": `
target.'cfg(r#unix)'.rustflags = ['raw']
target.'cfg(r#all(unix))'.rustflags = ['call']
target.'cfg(true)'.rustflags = ['true']
target.'cfg(all(not(false), any(unix,),))'.rustflags = ['commas']
target."cfg(\tunix)".rustflags = ['tab']
target.'cfg(unix'.rustflags = ['open']
target.' cfg(unix)'.rustflags = ['blank']
`}, nil, "commas raw true", 3},
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
			answer, err := ask(t, c, tt.target)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range slices.Concat(answer.Before, answer.After) {
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
			if len(answer.Notes) != tt.notes {
				t.Errorf("got notes %q, want %d", answer.Notes, tt.notes)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	c, err := cargoflags.Load(source(project, nil))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := ask(t, c, "x86_64-pc-windows-msvc")
	if err != nil {
		t.Fatal(err)
	}
	want := []cargoflags.Flag{
		{Arg: "-Clinker=lld-link", Origin: "/w/p/.cargo/config.toml: target.'cfg(windows)'.linker"},
		{Arg: "--cfg", Origin: "/w/p/.cargo/config.toml: target.'cfg(windows)'.rustflags"},
		{Arg: "cfg_windows", Origin: "/w/p/.cargo/config.toml: target.'cfg(windows)'.rustflags"},
	}
	if diff := cmp.Diff(want, slices.Concat(answer.Before, answer.After)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTargets(t *testing.T) {
	const gate = "unstable.json-target-spec = true\n"
	for _, tt := range []struct{ config, env, asked, want string }{
		{`build.target = "wasm32-wasip1"`, "", "", "wasm32-wasip1"},
		{`build.target = ["d-e-f", "a-b-c", "d-e-f"]`, "", "", "a-b-c d-e-f"},
		{`build.target = ["d-e-f"]`, "a-b-c", "", "a-b-c d-e-f"},
		{`build.target = "d-e-f"`, "a-b-c", "", "a-b-c"},
		{`build.target = "d-e-f"`, "a-b-c", "x-y-z", "x-y-z"},
		{`build.target = "host-tuple"`, "", "", "h-o-s-t"},
		{gate + `build.target = "my.json"`, "", "", "/w/p/my.json"},
		{gate, "my.json", "", "/w/p/my.json"},
		{gate, "", "t/my.json", "/w/p/t/my.json"},
		{`build.target = "my.json"`, "", "", "error"},
		{`build.target = ""`, "", "", "error"},
		{`build.target = 3`, "", "", "error"},
		{``, "3", "", "error"},
		{``, "", "", ""},
	} {
		env := map[string]string{}
		if tt.env != "" {
			env["CARGO_BUILD_TARGET"] = tt.env
		}
		src := source(map[string]string{"/w/p/.cargo/config.toml": tt.config}, env)
		if strings.HasPrefix(tt.config, gate) {
			src.Release = release(t, "1.97.0-nightly")
		}
		c, err := cargoflags.Load(src)
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.Targets(tt.asked, "h-o-s-t")
		var names []string
		for _, target := range list {
			names = append(names, target.Name)
		}
		if err != nil {
			names = []string{"error"}
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%q with %q and --target %q: got %q, want %q (%v)", tt.config, tt.env, tt.asked, got, tt.want, err)
		}
	}
}

func release(t testing.TB, text string) targets.Release {
	t.Helper()
	r, err := targets.ParseRelease(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
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
		{"include", `include = ["none.toml"]`, `include "none.toml": no such file`},
		{"include loop", `include = ["config.toml"]`, `is included twice, or includes itself`},
		{"include type", `include = [3]`, `/w/p/.cargo/config.toml:1:12: include: got integer 3, want a path`},
		{"include text", `include = "a.toml"`, `include: got string "a.toml", want a list`},
		{"include suffix", `include = ["a"]`, `include: got "a", want a path that ends in .toml`},
		{"include pattern", `include = ["*.toml"]`, `without patterns`},
		{"float", "a.b = 1.5", `got float 1.5, want no float`},
		{"other table", "target.other.linker = 3", `target.other.linker: got integer 3, want a string`},
		{"override", "target.x86_64-unknown-linux-gnu.foo = 3", `a table that replaces a build script`},
		{"override's list", "target.x86_64-unknown-linux-gnu.foo.rustc-link-arg = 'a'", `want a list of strings`},
		{"jobs", "build.jobs = true", `build.jobs: got boolean true`},
		{"jobs text", "build.jobs = 'x'", `build.jobs: got string "x", want a number other than 0, or "default"`},
		{"no jobs", "build.jobs = 0", `build.jobs: got integer 0`},
		{"two linkers", "[target.'cfg(unix)']\nlinker='a'\n[target.'cfg(not(windows))']\nlinker='b'", `two conditions give a linker`},
		{"include table", `include = [{}]`, `/w/p/.cargo/config.toml:1:12: include.path: got a table, want a string`},
		{"merge", "build.rustflags = ''", `cargo cannot merge them`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{near: tt.text}
			if tt.name == "merge" {
				files["/w/.cargo/config.toml"] = "build.rustflags = []"
			}
			c, err := cargoflags.Load(source(files, nil))
			if err == nil {
				_, err = ask(t, c, "x86_64-unknown-linux-gnu")
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
		})
	}
}

// TestFirstError holds that of several mistakes the same one is told each time.
func TestFirstError(t *testing.T) {
	for text, want := range map[string]string{
		"z = 3\ny = 3\nx = 3\nw = 3":                                         "target.x86_64-unknown-linux-gnu.w: ",
		"z.rustc-cfg = 3\ny.rustc-cfg = 3\nx.rustc-cfg = 3\nw.rustc-cfg = 3": "target.x86_64-unknown-linux-gnu.w.rustc-cfg: ",
	} {
		for range 20 {
			c, err := cargoflags.Load(source(map[string]string{"/w/p/.cargo/config.toml": "[target.x86_64-unknown-linux-gnu]\n" + text}, nil))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = ask(t, c, "x86_64-unknown-linux-gnu"); err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want …%s…", err, want)
			}
		}
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
	f.Fuzz(func(t *testing.T, text string) {
		c, err := cargoflags.Load(source(map[string]string{"/w/p/.cargo/config.toml": text}, nil))
		if err != nil {
			return
		}
		_, _ = c.Targets("", "h-o-s-t")
		answer, err := ask(t, c, "x86_64-unknown-linux-gnu")
		if err != nil {
			return
		}
		for _, f := range slices.Concat(answer.Before, answer.After) {
			if f.Origin == "" {
				t.Errorf("%q has no origin", f.Arg)
			}
		}
	})
}
