package link_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
	"x.go/targets/link"
)

func explain(t *testing.T, c targets.Compiler, target string, flags ...string) link.Explanation {
	t.Helper()
	q, err := link.NewQuery(stableTargets(t), c, named(target), flags)
	if err != nil {
		t.Fatal(err)
	}
	return link.Explain(q)
}

func TestWays(t *testing.T) {
	noLLD := targets.Compiler{Release: stable.Release, Host: x64}
	refused := func(target string) string {
		return "error: `-C linker-features=-lld` is unstable on the `" + target + "` target. The `-Z unstable-options` flag must also be passed to use it on this target"
	}
	const (
		needsZ  = "error: `-C linker-features=+lld` is unstable, and also requires the `-Z unstable-options` flag to be used"
		flavorZ = "error: the linker flavor `gnu-cc` is unstable, the `-Z unstable-options` flag must also be passed to use the unstable values"
		onlyZ   = "error: only `-C link-self-contained` values `y`/`yes`/`on`/`n`/`no`/`off`/`-linker` are stable, the `-Z unstable-options` flag must also be passed to use the unstable values"
	)
	for _, tt := range []struct {
		name     string
		compiler targets.Compiler
		target   string
		flags    []string
		lld      string
		want     []link.Way
	}{
		{"x64", stable, "x86_64-unknown-linux-gnu", nil, "toolchain", []link.Way{
			{"off", []string{"-Clinker-features=-lld"}, true, ""},
			{"off", []string{"-Clink-arg=-fuse-ld=bfd"}, true, ""},
			{"off", []string{"-Clinker=gcc"}, true, ""},
			{"off", []string{"-Clinker-flavor=gnu-cc"}, false, flavorZ},
		}},
		{"refused on aarch64 although it is the default", stable, "aarch64-unknown-linux-gnu", nil, "toolchain", []link.Way{
			{"off", []string{"-Clinker-features=-lld"}, false, refused("aarch64-unknown-linux-gnu")},
			{"off", []string{"-Clink-arg=-fuse-ld=bfd"}, true, ""},
			{"off", []string{"-Clinker=gcc"}, true, ""},
			{"off", []string{"-Clinker-flavor=gnu-cc"}, false, flavorZ},
		}},
		{"rust.lld = false", noLLD, "x86_64-unknown-linux-gnu", nil, "", []link.Way{
			{"on", []string{"-Clinker-features=+lld", "-Clink-self-contained=+linker"}, false, onlyZ},
			{"on", []string{"-Clinker-features=+lld"}, false, needsZ},
			{"on", []string{"-Clink-arg=-fuse-ld=lld"}, true, ""},
		}},
		{"linker's name", stable, "x86_64-unknown-linux-gnu", []string{"-Clinker=gcc"}, "", []link.Way{
			{"on", []string{"-Clinker-features=+lld", "-Clink-self-contained=+linker"}, false, onlyZ},
			{"on", []string{"-Clinker-features=+lld"}, false, needsZ},
			{"on", []string{"-Clink-arg=-fuse-ld=lld"}, true, ""},
			{"on", []string{"-Clinker=cc"}, true, ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := explain(t, tt.compiler, tt.target, tt.flags...)
			if e.LLD != tt.lld {
				t.Errorf("got LLD %q, want %q", e.LLD, tt.lld)
			}
			if diff := cmp.Diff(tt.want, e.Ways); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Each flag of a way must do what the way says, alone with the query.
func TestWaysWorkOnEveryTarget(t *testing.T) {
	s := stableTargets(t)
	n := 0
	for spec := range s.All() {
		q, err := link.NewQuery(s, stable, spec.Triple, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range link.Explain(q).Ways {
			n++
			try := q
			try.Args = w.Flags
			if d := link.Decide(try); (d.Exit == 0) != w.Stable {
				t.Errorf("%s %q: got exit %d, want stable %v", spec.Triple, w.Flags, d.Exit, w.Stable)
			}
			try.Unstable, try.Bootstrap = true, "1"
			if d := link.Decide(try); d.UsesLLD() != (w.Turns == "on") {
				t.Errorf("%s %q: got LLD %v, want it %s", spec.Triple, w.Flags, d.UsesLLD(), w.Turns)
			}
		}
	}
	if n < 100 {
		t.Errorf("got %d ways over all targets", n)
	}
}

func TestExplanationJSON(t *testing.T) {
	got, err := json.Marshal(explain(t, stable, "x86_64-unknown-linux-gnu", "-Clinker=gcc", "-Clinker-features=-lld").Decision)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"exit":0,"linked":true,"linker":"gcc","flavor":"gnu-cc","lld_args":[],"rule":"linker-option"}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err = json.Marshal(explain(t, stable, "x86_64-unknown-linux-musl", "-Clink-self-contained=-linker", "--crate-type=rlib"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"target":"x86_64-unknown-linux-musl","compiler":{"release":"1.95.0","host":"x86_64-unknown-linux-gnu","lld_default":true}`,
		`"rule":"unstable-on-target"},"lld":""`,
		`{"turns":"on","flags":["-Clinker-features=+lld"],"stable":false,"refusal":"error: `,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("got %s, want …%s…", got, want)
		}
	}
}

// Whatever the arguments, a decision is whole: an error or a linker or neither.
func FuzzDecide(f *testing.F) {
	f.Add("x86_64-unknown-linux-gnu", "-Clinker=gcc\n-Clto", "1", true)
	f.Add("l4re", "-Clinker-flavor=unix", "", false)
	f.Add("x86_64-wrs-vxworks", "-Clinker=ld\n--crate-type=cdylib", "-1", true)
	f.Add("wasm32-unknown-emscripten", "--sysroot=s\n-Clink-self-contained=y\n-Clinker-features=+lld", "1", true)
	s := stableTargets(f)
	f.Fuzz(func(t *testing.T, name, args, bootstrap string, unstable bool) {
		target, err := targets.ParseTriple(name)
		if err != nil {
			return
		}
		q, err := link.NewQuery(s, stable, target, strings.Split(args, "\n"))
		if err != nil {
			return
		}
		q.Bootstrap, q.Unstable = bootstrap, unstable
		e := link.Explain(q)
		d := e.Decision
		if (d.Exit == 0) != (d.Error == "") || d.Linked && (d.Exit != 0 || d.Linker == "" || d.LLDArgs == nil || d.Flavor.IsZero()) || d.Rule.String() == "" {
			t.Errorf("%s %q: got %+v", name, args, d)
		}
		if d.Error != "" && !strings.HasPrefix(d.Error, "error: ") {
			t.Errorf("%s %q: got message %q", name, args, d.Error)
		}
	})
}

func TestSteps(t *testing.T) {
	for _, tt := range []struct {
		target string
		flags  []string
		rule   link.Rule
		states string
	}{
		{"x86_64-unknown-linux-gnu", nil, link.RuleTargetFlavor, "idle idle idle won"},
		{"x86_64-unknown-none", nil, link.RuleTargetLinker, "idle idle won lost"},
		{"x86_64-unknown-none", []string{"-Clinker=cc"}, link.RuleLinkerOption, "idle won lost lost"},
		{"x86_64-unknown-none", []string{"-Clinker=cc", "-Clinker-flavor=ld"}, link.RuleFlavorOption, "won lost lost lost"},
		{"x86_64-unknown-linux-gnu", []string{"-Clinker-flavor=em"}, link.RuleIncompatibleFlavor, "idle idle idle idle"},
		{"x86_64-unknown-linux-gnu", []string{"--crate-type=rlib"}, link.RuleNothingToLink, "idle idle idle idle"},
	} {
		e := explain(t, stable, tt.target, tt.flags...)
		var states []string
		for _, s := range e.Steps {
			states = append(states, s.State)
		}
		if got := strings.Join(states, " "); got != tt.states || e.Decision.Rule != tt.rule {
			t.Errorf("%s %q: got %s by %s, want %s by %s", tt.target, tt.flags, got, e.Decision.Rule, tt.states, tt.rule)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		target string
		flags  []string
		want   string
	}{
		{"x86_64-unknown-linux-gnu", nil, "old-gcc-retry"},
		{"x86_64-unknown-linux-gnu", []string{"-Clinker=gcc"}, "linker-name-drops-lld"},
		{"x86_64-unknown-linux-gnu", []string{"-Clinker=cc"}, "old-gcc-retry"},
		{"x86_64-unknown-linux-gnu", []string{"-Clinker=cc", "-Clink-arg=-fuse-ld=bfd"}, "old-gcc-retry last-fuse-ld-wins"},
		{"x86_64-unknown-linux-gnu", []string{"-Clink-self-contained=y"}, "self-contained-y-crashes old-gcc-retry"},
		{"x86_64-unknown-linux-gnu", []string{"-Clink-self-contained=-linker"}, "old-gcc-retry system-lld"},
		{"x86_64-unknown-linux-gnu", []string{"-Clink-arg=-fuse-ld=bfd"}, "old-gcc-retry last-fuse-ld-wins"},
		{"x86_64-unknown-linux-gnu", []string{"-Clinker=ld.lld"}, "ld.lld-counts-as-ld"},
		{"aarch64-unknown-linux-gnu", nil, "old-gcc-retry host-decides"},
		{"m68k-unknown-linux-gnu", nil, "old-gcc-retry system-lld m68k-has-no-lld host-decides"},
		{"x86_64-unknown-none", nil, ""},
		{"x86_64-unknown-linux-musl", []string{"-Clink-self-contained=y"}, ""},
		{"x86_64-unknown-linux-gnu", []string{"--crate-type=rlib"}, ""},
	} {
		var got []string
		for _, w := range explain(t, stable, tt.target, tt.flags...).Warnings {
			got = append(got, w.ID)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.target, tt.flags, got, tt.want)
		}
	}
	q, err := link.NewQuery(stableTargets(t), stable, named("x86_64-unknown-none"), []string{"-Clinker-features=-lld"})
	if err != nil {
		t.Fatal(err)
	}
	q.Unstable, q.Bootstrap = true, "1"
	e := link.Explain(q)
	if !slices.ContainsFunc(e.Warnings, func(w link.Warning) bool { return w.ID == "rust-lld-without-flavor" }) {
		t.Errorf("rust-lld without -flavor: got %v", e.Warnings)
	}
}

// What depends on the outside world is asked of it, by these names.
func TestWorld(t *testing.T) {
	q, err := link.NewQuery(stableTargets(t), stable, x64, []string{"--sysroot", "rel", "-Clinker=/opt/cc"})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	q.World = link.World{Sysroot: "/tc", Exists: func(p string) bool {
		asked = append(asked, p)
		return strings.HasPrefix(p, "/tc") || strings.HasPrefix(p, "/opt")
	}}
	d := link.Decide(q)
	const dir = "/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld"
	if diff := cmp.Diff([]string{"-Brel" + dir, "-B/tc" + dir, "-fuse-ld=lld"}, d.LLDArgs); diff != "" || d.Linker != "/opt/cc" {
		t.Errorf("got linker %q (-want +got)\n%s", d.Linker, diff)
	}
	q.World.Exists = func(string) bool { return false }
	if d := link.Decide(q); d.Rule != link.RuleGccLdMissing || d.Exit != 1 {
		t.Errorf("no gcc-ld: got %s, %q", d.Rule, d.Error)
	}
	q.Args = []string{"-Clinker=gone"}
	q.World = link.World{OnPath: func(string) bool { return false }}
	if d := link.Decide(q); d.Error != "error: linker `gone` not found" {
		t.Errorf("no linker: got %q", d.Error)
	}
}

func TestCustomTarget(t *testing.T) {
	official, err := stableTargets(t).For(stable, x64)
	if err != nil {
		t.Fatal(err)
	}
	// Any file name will do, and rustc 1.95.0 makes this hash of the file.
	spec, err := targets.ParseSpecFile("mine", official.JSON(), stable.Release)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ flags, bootstrap, want string }{
		{"-Clto", "", "error: error loading target specification: custom targets are unstable and require `-Zunstable-options`"},
		{"-Clinker-features=+lld", "", "error: `-C linker-features=+lld` is unstable, and also requires the `-Z unstable-options` flag to be used"},
		{"-Clinker-features=-lld", "", "error: `-C linker-features=-lld` is unstable on the `mine-11412556362203418655` target. The `-Z unstable-options` flag must also be passed to use it on this target"},
		{"-Zunstable-options -Clinker-features=-lld", "1", ""},
	} {
		d := link.Decide(link.Query{
			Compiler: stable, Target: spec, Host: official, CustomTarget: true, Args: strings.Fields(tt.flags), Bootstrap: tt.bootstrap,
		})
		if d.Error != tt.want {
			t.Errorf("%s: got %q, want %q", tt.flags, d.Error, tt.want)
		}
	}
}

func TestMinGWOnItsOwnHost(t *testing.T) {
	mingw := named("x86_64-pc-windows-gnu")
	q, err := link.NewQuery(stableTargets(t), targets.Compiler{Release: stable.Release, Host: mingw}, mingw, []string{"-Zunstable-options", "-Clinker-features=+lld"})
	if err != nil {
		t.Fatal(err)
	}
	q.Bootstrap = "1"
	for found, want := range map[bool]string{true: "-fuse-ld=lld", false: "-B<sysroot>/lib/rustlib/x86_64-pc-windows-gnu/bin/gcc-ld -fuse-ld=lld"} {
		q.World.OnPath = func(string) bool { return found }
		q.Args = []string{"-Zunstable-options", "-Clinker-features=+lld", "-Clinker=/mingw/x86_64-w64-mingw32-gcc"}
		if got := strings.Join(link.Decide(q).LLDArgs, " "); got != want {
			t.Errorf("linker found %v: got %q, want %q", found, got, want)
		}
	}
}
