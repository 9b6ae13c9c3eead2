package config

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
)

const linux = "x86_64-unknown-linux-gnu"

// source returns a Source of files in memory, by their names.
func source(files map[string]string, sets ...string) Source {
	return Source{
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

func load(t testing.TB, src Source) Config {
	t.Helper()
	c, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoadNothing(t *testing.T) {
	c := load(t, Source{Host: triple(linux)})
	if got, want := c.Build.BuildDir, "build"; got != want {
		t.Errorf("build-dir: got %q, want %q", got, want)
	}
	if diff := cmp.Diff([]targets.Triple{triple(linux)}, c.Build.Target, cmp.Comparer(func(a, b targets.Triple) bool { return a == b })); diff != "" {
		t.Errorf("build.target (-want +got):\n%s", diff)
	}
	if c.Rust.LLD != targets.Unknown || !c.Rust.RPath || c.Rust.Channel != "dev" || c.Rust.OmitGitHash != targets.Yes {
		t.Errorf("rust: got lld %v, rpath %v, channel %q, omit-git-hash %v", c.Rust.LLD, c.Rust.RPath, c.Rust.Channel, c.Rust.OmitGitHash)
	}
	if diff := cmp.Diff([]string{"gz", "xz"}, c.Dist.CompressionFormats); diff != "" {
		t.Errorf("dist.compression-formats (-want +got):\n%s", diff)
	}
	if got, want := c.X.LLD.BakedDefault, BakedDefaultShim; got != want {
		t.Errorf("lld.baked-default: got %q, want %q", got, want)
	}
	if got, want := c.Origin("build.target").String(), "default (build.host)"; got != want {
		t.Errorf("origin of build.target: got %q, want %q", got, want)
	}
}

func TestLayers(t *testing.T) {
	src := source(map[string]string{
		"bootstrap.toml": "profile = 'user'\ninclude = ['sub/a.toml', 'sub/b.toml']\nrust.debug = true\n",
		"sub/a.toml":     "include = ['deep.toml']\n[rust]\ndebug = false\nchannel = 'beta'\nlto = 'fat'\n[build]\njobs = 1\n",
		"sub/b.toml":     "[rust]\nchannel = 'stable'\n[build]\ndescription = 'b'",
		"sub/deep.toml":  "[rust]\nlto = 'thin'\nstrip = true\n",
		"x.toml":         "dist.max-memory = '1GiB'\n",
	}, "build.description=c d")
	src.Flags = []Flag{{Name: "--jobs", Key: "build.jobs", Value: "7"}}
	c := load(t, src)
	type row struct{ value, origin string }
	got := map[string]row{}
	for _, id := range []string{"rust.debug", "rust.channel", "rust.lto", "rust.strip", "build.jobs", "build.description", "dist.compression-profile", "dist.max-memory", "rust.rpath"} {
		s := c.settings[id][0]
		got[id] = row{strings.Trim(strings.ReplaceAll(toTOML(s.Value), `"`, ""), " "), s.Origin.String()}
	}
	want := map[string]row{
		"rust.debug":               {"true", "bootstrap.toml:3:6"},
		"rust.channel":             {"stable", "include sub/b.toml:2:1"},
		"rust.lto":                 {"fat", "include sub/a.toml:5:1"},
		"rust.strip":               {"true", "include sub/deep.toml:3:1"},
		"build.jobs":               {"7", "--jobs"},
		"build.description":        {"c d", "--set build.description=c d"},
		"dist.compression-profile": {"balanced", "profile dist (bootstrap.dist.toml:23:1)"},
		"dist.max-memory":          {"1073741824", "x.toml:1:6"},
		"rust.rpath":               {"true", "default"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bootstrap.toml", "sub/b.toml", "sub/a.toml", "sub/deep.toml", "x.toml"}, c.Files()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestRelativeDir(t *testing.T) {
	src := source(map[string]string{"sub/bootstrap.toml": "include = ['more.toml']", "sub/more.toml": "rust.lld = false", "sub/x.toml": "lld.jobserver = true"})
	src.Dir = "sub"
	c := load(t, src)
	if c.Rust.LLD != targets.No || !c.X.LLD.Jobserver {
		t.Errorf("got rust.lld %v, lld.jobserver %v; want false, true", c.Rust.LLD, c.X.LLD.Jobserver)
	}
	if got, want := c.Origin("rust.lld").String(), "include more.toml:1:6"; got != want {
		t.Errorf("origin: got %q, want %q", got, want)
	}
}

// TestByteOrderMark: the file of an editor that starts with a mark is read, as
// x.py does, and places count from behind it.
func TestByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	c := load(t, source(bootstrapToml(mark+"rust.lld = true\r\n")))
	if got, want := c.Origin("rust.lld").String(), "bootstrap.toml:1:6"; c.Rust.LLD != targets.Yes || got != want {
		t.Errorf("rust.lld: got %v by %s, want true by %s", c.Rust.LLD, got, want)
	}
	_, err := Load(source(bootstrapToml(mark + "lld = true\n[rust\n")))
	want := "bootstrap.toml:1:1: lld: unknown field `lld`; hint: try moving `lld` to the `rust` section"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
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

// TestNoCIBuild reads files for a host that upstream's CI builds nothing for: nothing
// is downloaded, whatever the keys say.
func TestNoCIBuild(t *testing.T) {
	for text, want := range map[string]bool{
		"": true,
		"build.build = 'x86_64-chimera-linux-musl'":                                 false,
		"build.build = 'x86_64-chimera-linux-musl'\nllvm.download-ci-llvm = true":   false,
		"build.build = 'aarch64-unknown-linux-gnu'\nllvm.download-ci-llvm = true":   true,
		"build.build = 'aarch64-unknown-linux-gnu'\nllvm.assertions = true":         false,
		"build.build = 'x86_64-unknown-linux-gnu'\nllvm.assertions = true":          true,
		"build.build = 'x86_64-unknown-linux-gnu'\nllvm.download-ci-llvm = false\n": false,
	} {
		if got := load(t, source(bootstrapToml(text))).LLVM.DownloadCILLVM.Bool; got != want {
			t.Errorf("%q: got download-ci-llvm %v, want %v", text, got, want)
		}
	}
}
