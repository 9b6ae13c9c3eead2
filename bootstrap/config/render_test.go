package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
)

const renderInput = `profile = 'library'
change-id = "ignore"
[rust]
lld = false
lto = 'fat'
debuginfo-level = 1
bootstrap-override-lld = true
[llvm]
download-ci-llvm = "if-unchanged"
build-config = { B = 'x "y"', "a b" = '' }
[build.tool.miri]
features = ['tracing']
[target.'thumbv8m.main-none-eabi']
cc = 'arm "gcc"'
`

func TestRenderTOML(t *testing.T) {
	src := source(map[string]string{"bootstrap.toml": renderInput, "x.toml": "dist.max-memory = '1KiB'"}, "rust.default-linker=a\tb")
	c := load(t, src)
	want := `profile = "library"
change-id = "ignore" # bootstrap.toml:2:1

[llvm]
download-ci-llvm = "if-unchanged" # bootstrap.toml:9:1
build-config = { B = "x \"y\"", "a b" = "" } # bootstrap.toml:10:1

[build]
test-stage = 1 # profile library (bootstrap.library.toml:4:1)
bench-stage = 1 # profile library (bootstrap.library.toml:3:1)

[build.tool.miri]
features = ["tracing"] # bootstrap.toml:12:1

[rust]
debuginfo-level = "limited" # bootstrap.toml:6:1
incremental = true # profile library (bootstrap.library.toml:7:1)
default-linker = "a\tb" # "--set rust.default-linker=a\tb"
lld = false # bootstrap.toml:4:1
bootstrap-override-lld = "external" # bootstrap.toml:7:1
download-rustc = false # profile library (bootstrap.library.toml:9:1)
lto = "fat" # bootstrap.toml:5:1

[target."thumbv8m.main-none-eabi"]
cc = "arm \"gcc\"" # bootstrap.toml:14:1
`
	if diff := cmp.Diff(want, c.TOML(RenderOptions{Origins: true, NoDefaults: true})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("[dist]\nmax-memory = 1024\n", c.TOML(RenderOptions{File: X, NoDefaults: true})); diff != "" {
		t.Errorf("x.toml (-want +got):\n%s", diff)
	}
	full := c.TOML(RenderOptions{})
	if !strings.Contains(full, "#llvm") && !strings.Contains(full, "#optimize = true\n") {
		t.Errorf("defaults are not in comments:\n%s", full)
	}
	again := load(t, source(bootstrapToml(full)))
	if diff := cmp.Diff(full, again.TOML(RenderOptions{})); diff != "" {
		t.Errorf("rendered, loaded and rendered (-first +second):\n%s", diff)
	}
}

func TestRenderJSON(t *testing.T) {
	c := load(t, source(map[string]string{"bootstrap.toml": renderInput, "x.toml": "dist.max-memory = '1KiB'"}))
	text, err := json.Marshal(c.JSON(RenderOptions{NoDefaults: true}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"build":{"bench-stage":1,"test-stage":1,"tool":{"miri":{"features":["tracing"]}}},` +
		`"change-id":"ignore","llvm":{"build-config":{"B":"x \"y\"","a b":""},"download-ci-llvm":"if-unchanged"},` +
		`"profile":"library","rust":{"bootstrap-override-lld":"external","debuginfo-level":"limited","download-rustc":false,"incremental":true,"lld":false,"lto":"fat"},` +
		`"target":{"thumbv8m.main-none-eabi":{"cc":"arm \"gcc\""}},"x":{"dist":{"max-memory":1024}}}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got := c.JSON(RenderOptions{Origins: true})["rust"].(map[string]any)["lld"]
	if diff := cmp.Diff(map[string]any{"value": false, "origin": "bootstrap.toml:4:1", "set": true}, got); diff != "" {
		t.Errorf("rust.lld with origin (-want +got):\n%s", diff)
	}
}

func TestExplain(t *testing.T) {
	c := load(t, source(map[string]string{"bootstrap.toml": "profile = 'dist'\ninclude = ['a']\nrust.channel = 'beta'", "a": "rust.channel = 'dev'"}, "rust.channel=stable"))
	got, err := c.Explain("rust.channel")
	if err != nil {
		t.Fatal(err)
	}
	want := Explanation{
		Key: "rust.channel", Value: `"stable"`, Origin: "--set rust.channel=stable", Default: "src/ci/channel in a source tarball",
		Overrode: []Overridden{{`"beta"`, "bootstrap.toml:3:6"}, {`"dev"`, "include a:1:6"}, {`"auto-detect"`, "profile dist (bootstrap.dist.toml:17:1)"}, {`"dev"`, "default"}},
		Doc:      "Release channel: dev, nightly, beta, stable, or auto-detect, which reads src/ci/channel.",
		Effect:   "names of the archives and of the channel manifest; which hosts have LLD as default",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for key, want := range map[string]string{
		"rust.ldd":                              `explaining key "rust.ldd": no such key, did you mean "rust.lld"?`,
		"target.x86_64-unknown-linux-gnu.linkr": `explaining key "target.x86_64-unknown-linux-gnu.linkr": no such key, did you mean "target.x86_64-unknown-linux-gnu.linker"?`,
		"zzzzzzzzzzzzzzz":                       `explaining key "zzzzzzzzzzzzzzz": no such key`,
		"target.*.cc":                           `explaining key "target.*.cc": want a name in place of *`,
	} {
		if _, err := c.Explain(key); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	unset, err := c.Explain("rust.lld")
	if err != nil || unset.Value != "" || !strings.HasPrefix(unset.Origin, "default (true if a host") {
		t.Errorf("rust.lld: got %+v, %v", unset, err)
	}
}

func TestChangesSince(t *testing.T) {
	ids := func(list []Change) (out []int) {
		for _, c := range list {
			out = append(out, c.ID)
		}
		return out
	}
	if diff := cmp.Diff([]int{155617, 159011, 159455, 162546}, ids(ChangesSince(158912))); diff != "" {
		t.Errorf("since 158912 (-want +got):\n%s", diff)
	}
	if got := ChangesSince(999999); len(got) != 0 {
		t.Errorf("since a number of the future: got %d changes, want none", len(got))
	}
	if got, want := len(ChangesSince(1)), len(Changes()); got != want {
		t.Errorf("since an unknown number: got %d changes, want all %d", got, want)
	}
	seen, last := map[int]bool{}, Minor(0)
	for _, c := range Changes() {
		if seen[c.ID] {
			t.Errorf("%d is there twice", c.ID)
		}
		if seen[c.ID] = true; c.Since < last {
			t.Errorf("%d came with %s, the one before it with %s", c.ID, c.Since, last)
		}
		last = c.Since
	}
	for _, id := range []int{116278, 124129, 126701, 143175, 143255, 147046, 147157, 162546} {
		if !seen[id] {
			t.Errorf("%d is missing", id)
		}
	}
}

// TestConfigsShareNothing changes one Config and loads another.
func TestConfigsShareNothing(t *testing.T) {
	c := load(t, Source{Host: triple(linux)})
	c.Dist.CompressionFormats[0] = "broken"
	c.Build.Host[0] = triple("avr-none")
	if got := toTOML(c.settings["dist.compression-formats"][0].Value); got != `["gz", "xz"]` {
		t.Errorf("its own settings: got %s", got)
	}
	again := load(t, Source{Host: triple(linux)})
	if again.Dist.CompressionFormats[0] != "gz" || again.Build.Host[0] != triple(linux) {
		t.Errorf("another Config: got %v, %v", again.Dist.CompressionFormats, again.Build.Host)
	}
}

// TestDefaultsCanBeWritten uncomments the defaults of a rendering: somebody may
// write them out, and they must read as the same values.
func TestDefaultsCanBeWritten(t *testing.T) {
	want := load(t, source(nil))
	text := strings.ReplaceAll("\n"+want.TOML(RenderOptions{}), "\n#", "\n")
	got := load(t, source(bootstrapToml(text)))
	for _, k := range Schema() {
		if k.File != Bootstrap || strings.Contains(k.Section, "*") || len(want.settings[k.ID()]) == 0 {
			continue
		}
		if diff := cmp.Diff(want.settings[k.ID()][0].Value, got.settings[k.ID()][0].Value, cmp.Comparer(func(a, b targets.Triple) bool { return a == b })); diff != "" {
			t.Errorf("%s (-default +written):\n%s", k.ID(), diff)
		}
	}
}

func TestRenderOptimize(t *testing.T) {
	for value, want := range map[string]any{"true": true, "false": false, "3": 3, `"s"`: "s"} {
		c := load(t, source(bootstrapToml("rust.optimize = "+value)))
		if got := c.TOML(RenderOptions{NoDefaults: true}); got != "[rust]\noptimize = "+value+"\n" {
			t.Errorf("TOML of %s: got %q", value, got)
		}
		if got := c.JSON(RenderOptions{})["rust"].(map[string]any)["optimize"]; got != want {
			t.Errorf("JSON of %s: got %v, want %v", value, got, want)
		}
	}
}
