package lld

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/targets"
)

const linux = "x86_64-unknown-linux-gnu"

// source returns a Source of files in memory, by their names.
func source(files map[string]string, sets ...string) config.Source {
	return config.Source{
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[filepath.Clean(path)]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
		Host: triple(linux),
		Sets: sets,
	}
}

func bootstrapToml(text string) map[string]string { return map[string]string{"bootstrap.toml": text} }

func triple(s string) targets.Triple {
	t, err := targets.ParseTriple(s)
	if err != nil {
		panic(err)
	}
	return t
}

func load(t testing.TB, src config.Source) config.Config {
	t.Helper()
	c, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func release(t testing.TB, s string) targets.Release {
	t.Helper()
	if s == "" {
		return targets.Release{}
	}
	r, err := targets.ParseRelease(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// decide loads a bootstrap.toml as of a release and renders the decision as
// "shipped=… host=default … by rule", or the first error's message.
func decide(t testing.TB, text, rel, channel string) string {
	t.Helper()
	src := source(map[string]string{"bootstrap.toml": text})
	src.Release = release(t, rel)
	return decideText(t, load(t, src), Facts{Channel: channel})
}

func decideText(t testing.TB, c config.Config, f Facts) string {
	t.Helper()
	decision, err := Decide(c, f)
	if err != nil {
		return "error: " + err.(config.Errors)[0].Message
	}
	d := decision.Wanted
	var b strings.Builder
	fmt.Fprintf(&b, "shipped=%t", d.Shipped)
	for _, h := range d.Hosts {
		if got := d.Default[h.Host]; got != h.Default {
			t.Errorf("default of %s: map has %s, reasons have %s", h.Host, got, h.Default)
		}
		short, _, _ := strings.Cut(h.Host.String(), "-")
		name := map[DefaultLinker]string{DefaultSystem: "system", DefaultSelfContainedLLD: "lld"}[h.Default]
		fmt.Fprintf(&b, " %s=%s", short, name)
	}
	fmt.Fprintf(&b, " by %s", d.Rule)
	for _, l := range d.Lost {
		if l.Rule == d.Rule {
			t.Errorf("rule %s won and lost", l.Rule)
		}
		if l.Reason == "" {
			t.Errorf("rule %s lost without reason", l.Rule)
		}
	}
	return b.String()
}

const (
	errExternal = "error: Cannot enable LLD with `rust.lld = true` when using external llvm-config."
	errNotBuilt = "error: Trying to override the default Linux linker for `x86_64-unknown-linux-gnu` to be self-contained LLD, but LLD is not being built. Enable it with rust.lld = true."
)

// TestLLDTruthTable holds every combination of rust.lld, the override and an
// external LLVM for the host x86_64-unknown-linux-gnu, by the rules of 1.92 on.
func TestLLDTruthTable(t *testing.T) {
	const (
		no  = "shipped=false x86_64=system by "
		lld = "shipped=true x86_64=lld by "
		sys = "shipped=true x86_64=system by "
	)
	for _, row := range []struct{ lld, override, llvm, want string }{
		{"", "", "", lld + "lld-host"},
		{"", "", "llvm", no + "external-llvm"},
		{"", "off", "", no + "host-linker-override"},
		{"", "off", "llvm", no + "external-llvm"},
		{"", "self-contained-lld-cc", "", errNotBuilt},
		{"", "self-contained-lld-cc", "llvm", errNotBuilt},
		{"true", "", "", lld + "rust.lld"},
		{"true", "", "llvm", errExternal},
		{"true", "off", "", sys + "rust.lld"},
		{"true", "off", "llvm", errExternal},
		{"true", "self-contained-lld-cc", "", lld + "rust.lld"},
		{"true", "self-contained-lld-cc", "llvm", errExternal},
		{"false", "", "", no + "rust.lld"},
		{"false", "", "llvm", no + "rust.lld"},
		{"false", "off", "", no + "rust.lld"},
		{"false", "off", "llvm", no + "rust.lld"},
		{"false", "self-contained-lld-cc", "", errNotBuilt},
		{"false", "self-contained-lld-cc", "llvm", errNotBuilt},
	} {
		var b strings.Builder
		if row.lld != "" {
			fmt.Fprintf(&b, "rust.lld = %s\n", row.lld)
		}
		b.WriteString("[target.x86_64-unknown-linux-gnu]\n")
		if row.override != "" {
			fmt.Fprintf(&b, "default-linker-linux-override = %q\n", row.override)
		}
		if row.llvm != "" {
			b.WriteString("llvm-config = '/usr/bin/llvm-config'\n")
		}
		for _, channel := range []string{"stable", "beta", "nightly", "dev"} {
			for _, rel := range []string{"1.92.0", "1.95.0", "1.97.0-nightly", ""} {
				if got := decide(t, b.String(), rel, channel); got != row.want {
					t.Errorf("lld=%q override=%q llvm=%q, %s of %q:\ngot  %s\nwant %s", row.lld, row.override, row.llvm, channel, rel, got, row.want)
				}
			}
		}
	}
}

// TestLLDByRelease follows configurations through the history of rust.lld.
func TestLLDByRelease(t *testing.T) {
	const section = "[target.x86_64-unknown-linux-gnu]\ncc = 'cc'\n"
	const external = "llvm.download-ci-llvm = false\n[target.x86_64-unknown-linux-gnu]\nllvm-config = '/usr/bin/llvm-config'\n"
	for _, row := range []struct{ text, release, channel, want string }{
		{"", "1.78.0", "nightly", "shipped=false x86_64=system by lld-not-by-default"},
		{"rust.lld = true", "1.79.0", "stable", "shipped=true x86_64=system by rust.lld"},
		{"rust.lld = true\n" + external, "1.79.0", "stable", "shipped=true x86_64=system by rust.lld"},

		// rust-lang/rust#124129: dev and nightly.
		{section, "1.80.0", "nightly", "shipped=true x86_64=lld by lld-host"},
		{section, "1.80.0", "dev", "shipped=true x86_64=lld by lld-host"},
		{"", "1.80.0", "nightly", "shipped=false x86_64=system by external-llvm"},
		{"", "1.83.0", "nightly", "shipped=true x86_64=lld by lld-host"},
		{section, "1.80.0", "stable", "shipped=false x86_64=system by lld-not-by-default"},
		{"rust.lld = true", "1.89.0", "stable", "shipped=true x86_64=system by rust.lld"},
		{external, "1.85.0", "nightly", "shipped=false x86_64=system by external-llvm"},
		{"build.host = ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu']", "1.85.0", "nightly",
			"shipped=false x86_64=system aarch64=system by no-lld-host"},

		// #126701 and #143255: the profile dist had LLD from 1.81 to 1.89.
		{"profile = 'dist'", "1.80.0", "stable", "shipped=false x86_64=system by lld-not-by-default"},
		{"profile = 'dist'", "1.81.0", "stable", "shipped=true x86_64=system by rust.lld"},
		{"profile = 'user'", "1.89.0", "stable", "shipped=true x86_64=system by rust.lld"},
		{"profile = 'dist'", "1.90.0", "stable", "shipped=true x86_64=lld by lld-host"},
		{"profile = 'dist'\nrust.lld = false", "1.85.0", "stable", "shipped=false x86_64=system by rust.lld"},

		// #139853: a warning, then #143175: an error.
		{"rust.lld = true\n" + external, "1.89.0", "stable", "shipped=false x86_64=system by rust.lld"},
		{"rust.lld = true\n" + external, "1.90.0", "stable", errExternal},
		{"profile = 'dist'\n" + external, "1.90.0", "stable", "shipped=false x86_64=system by external-llvm"},

		// #140525: every channel.
		{"", "1.90.0", "stable", "shipped=true x86_64=lld by lld-host"},
		{"", "1.91.0", "beta", "shipped=true x86_64=lld by lld-host"},
		{"rust.lld = false", "1.91.0", "stable", "shipped=false x86_64=system by rust.lld"},
		{"build.host = ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu']", "1.91.0", "stable",
			"shipped=false x86_64=system aarch64=system by no-lld-host"},

		// #147157: any host in the list.
		{"build.host = ['aarch64-unknown-linux-gnu', 'x86_64-unknown-linux-gnu']", "1.92.0", "stable",
			"shipped=true aarch64=system x86_64=lld by lld-host"},
		{"build.host = ['aarch64-unknown-linux-gnu']", "1.95.0", "stable", "shipped=false aarch64=system by no-lld-host"},
		{"build.host = ['aarch64-unknown-linux-gnu']\nrust.lld = true", "1.95.0", "stable", "shipped=true aarch64=system by rust.lld"},
		{"build.host = ['aarch64-unknown-linux-gnu']\nrust.lld = true\ntarget.aarch64-unknown-linux-gnu.default-linker-linux-override = 'self-contained-lld-cc'",
			"1.95.0", "stable", "shipped=true aarch64=lld by rust.lld"},
		{"build.host = []", "1.95.0", "stable", "shipped=false by no-lld-host"},
		// Only the build triple's llvm-config counts.
		{"target.aarch64-unknown-linux-gnu.llvm-config = 'x'", "1.95.0", "stable", "shipped=true x86_64=lld by lld-host"},
		{"llvm.download-ci-llvm = true", "1.95.0", "stable", "shipped=true x86_64=lld by lld-host"},

		// #162546: loongarch64 on nightly.
		{"build.host = ['loongarch64-unknown-linux-gnu']", "1.97.0-nightly", "nightly", "shipped=false loongarch64=system by no-lld-host"},
		{"build.host = ['loongarch64-unknown-linux-gnu']", "", "nightly", "shipped=true loongarch64=lld by lld-host"},
		{"build.host = ['loongarch64-unknown-linux-gnu']", "", "stable", "shipped=false loongarch64=system by no-lld-host"},
	} {
		if got := decide(t, row.text, row.release, row.channel); got != row.want {
			t.Errorf("%q as of %s, %s:\ngot  %s\nwant %s", row.text, row.release, row.channel, got, row.want)
		}
	}
}

// TestLLDRefused pins upstream's texts of refused configurations.
func TestLLDRefused(t *testing.T) {
	const on = "rust.lld = true\n"
	for _, row := range []struct {
		text string
		want string
	}{
		{"rust.use-lld = true\nrust.bootstrap-override-lld = true",
			"Cannot use both `rust.use-lld` and `rust.bootstrap-override-lld`. Please use only `rust.bootstrap-override-lld`"},
		{on + "rust.default-linker = 'cc'\ntarget.x86_64-unknown-linux-gnu.default-linker-linux-override = 'self-contained-lld-cc'",
			"cannot set both `default-linker` and `default-linker-linux` for target `x86_64-unknown-linux-gnu`"},
		{on + "target.x86_64-unknown-linux-musl.default-linker-linux-override = 'self-contained-lld-cc'",
			"`default-linker-linux` can only be set for Linux GNU targets, not for `x86_64-unknown-linux-musl`"},
		{"llvm.download-ci-llvm = true\ntarget.x86_64-unknown-linux-gnu.llvm-config = 'x'",
			"setting build-target.llvm-config is incompatible with download-ci-llvm."},
		{"rust.download-rustc = true\ntarget.x86_64-unknown-linux-gnu.llvm-config = 'x'",
			"setting llvm_config for the host is incompatible with download-rustc"},
	} {
		if got, want := decide(t, row.text, "1.95.0", "stable"), "error: "+row.want; got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", row.text, got, want)
		}
	}
	// With the override "off" of a musl target, nothing is wrong.
	for _, text := range []string{
		"rust.lld = false\nrust.bootstrap-override-lld = 'self-contained'",
		"target.x86_64-unknown-linux-musl.default-linker-linux-override = 'off'",
		"rust.default-linker = 'cc'\ntarget.x86_64-unknown-linux-gnu.default-linker-linux-override = 'off'",
	} {
		if got := decide(t, text, "1.95.0", "stable"); strings.HasPrefix(got, "error") {
			t.Errorf("%q: got %s", text, got)
		}
	}
}

func TestLLDErrorHasPlaces(t *testing.T) {
	c := load(t, source(map[string]string{"bootstrap.toml": "[rust]\nlld = true\n[target.x86_64-unknown-linux-gnu]\nllvm-config = '/usr/bin/llvm-config'\n"}))
	_, err := Decide(c, Facts{})
	want := "bootstrap.toml:2:1: rust.lld: Cannot enable LLD with `rust.lld = true` when using external llvm-config.; " +
		"remove rust.lld = true or target.x86_64-unknown-linux-gnu.llvm-config (bootstrap.toml:4:1)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestLLDWhileBuilding(t *testing.T) {
	for text, want := range map[string]config.LLDMode{
		"":                                    config.LLDModeNone,
		"rust.bootstrap-override-lld = true":  config.LLDModeExternal,
		"rust.bootstrap-override-lld = false": config.LLDModeNone,
		"rust.bootstrap-override-lld = 'external'":       config.LLDModeExternal,
		"rust.bootstrap-override-lld = 'self-contained'": config.LLDModeSelfContained,
		"rust.use-lld = true":                            config.LLDModeExternal,
		"rust.use-lld = 'self-contained'":                config.LLDModeSelfContained,
	} {
		d, err := Decide(load(t, source(bootstrapToml(text))), Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if d.Wanted.UsedWhileBuilding != want {
			t.Errorf("%q: got %s, want %s", text, d.Wanted.UsedWhileBuilding, want)
		}
	}
}

// TestLLDAsOfAnotherRelease asks a configuration that was loaded by the newest
// rules for what an old release would have done.
func TestLLDAsOfAnotherRelease(t *testing.T) {
	c := load(t, source(bootstrapToml("profile = 'dist'\nrust.channel = 'stable'")))
	for rel, want := range map[string]string{
		"1.78.0": "shipped=false x86_64=system by lld-not-by-default",
		"1.85.0": "shipped=true x86_64=system by rust.lld",
		"1.90.0": "shipped=true x86_64=lld by lld-host",
		"1.95.0": "shipped=true x86_64=lld by lld-host",
	} {
		if got := decideText(t, c, Facts{Release: release(t, rel)}); got != want {
			t.Errorf("as of %s:\ngot  %s\nwant %s", rel, got, want)
		}
	}
}

func TestLLDAsJSON(t *testing.T) {
	d, err := Decide(load(t, source(nil, "rust.lld=false")), Facts{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(d.Wanted)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"shipped": false, "rule": "rust.lld", "default": map[string]any{linux: "system"}}
	for key, v := range want {
		if diff := cmp.Diff(v, got[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

// Keys are compared as text, so a misspelt one would go unnoticed.
func TestWantedKeysAreKeys(t *testing.T) {
	for _, id := range wantedKeys {
		if k, ok := config.LookupKey(id); !ok || !IsKey(k.ID()) {
			t.Errorf("key %q: got %q, %t, want a key of the schema", id, k.ID(), ok)
		}
	}
	if IsKey("build.docs") {
		t.Error("build.docs: got a key of the decision on LLD")
	}
}
