package tests

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// programs are those in the directory programs: what somebody writes who imports
// this module.
var programs = map[string]func(*testing.T, program){
	"ci":      testCI,
	"combine": testCombine,
	"distro":  testDistro,
	"mirror":  testMirror,
}

// program is a built program, and a directory of its own to run in.
type program struct{ path, dir string }

// TestPrograms builds and runs every program.
func TestPrograms(t *testing.T) {
	entries, err := os.ReadDir("programs")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(programs)), names); diff != "" {
		t.Errorf("programs (-tested +there)\n%s", diff)
	}
	for name, test := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := program{filepath.Join(t.TempDir(), name), t.TempDir()}
			cmd := exec.CommandContext(t.Context(), testenv.Need(t, "go"), "build", "-o", p.path, "./programs/"+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("building: %v\n%s", err, out)
			}
			test(t, p)
		})
	}
}

// run runs the program where nothing but its directory is its HOME and PATH, and
// returns what it prints.
func (p program) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.path, args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"HOME=" + p.dir, "PATH=" + p.dir}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// plainConfig keeps archives quick to write.
const plainConfig = "change-id = 'ignore'\n[dist]\ncompression-profile = 'fast'\ncompression-formats = ['zst']\n[install]\nprefix = '/usr'\n"

// testDistro holds what package bootstrap does against what the commands do.
func testDistro(t *testing.T, p program) {
	sysroot, dir := runx.SlimSysroot(t), t.TempDir()
	for _, d := range []string{p.dir, dir} {
		testenv.Must(t, os.WriteFile(filepath.Join(d, "bootstrap.toml"), []byte(plainConfig), 0o644))
	}
	if out, err := p.run(t, "-sysroot", sysroot, "-destdir", "staged", "cargo", "rustfmt"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runx.Must(t, dir, nil, "dist", "--sysroot", sysroot, "cargo", "rustfmt")
	runx.Must(t, dir, nil, "install", "--sysroot", sysroot, "--destdir", "staged", "cargo", "rustfmt")
	for _, tree := range []string{"build/dist", "staged/usr/bin", "staged/usr/share"} {
		if diff := cmp.Diff(testenv.Tree(t, filepath.Join(dir, tree)), testenv.Tree(t, filepath.Join(p.dir, tree))); diff != "" {
			t.Errorf("%s (-x +program)\n%.2000s", tree, diff)
		}
	}
	if out, err := p.run(t, "-sysroot", sysroot, "nothing"); err == nil || !strings.HasPrefix(out, `distro: selecting component "nothing"`) {
		t.Errorf("a component that is none: got %v and\n%s", err, out)
	}
}

// testCI asks about a dist, and about flags.
func testCI(t *testing.T, p program) {
	sysroot, dir := runx.SlimSysroot(t), t.TempDir()
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "bootstrap.toml"), []byte(plainConfig), 0o644))
	runx.Must(t, dir, nil, "dist", "--sysroot", sysroot, "rustfmt")
	made := filepath.Join(dir, "build/dist")
	testenv.Must(t, os.WriteFile(filepath.Join(p.dir, "cc"), nil, 0o755)) // that there is one is all that counts
	out, err := p.run(t, "-sysroot", sysroot, made, "-Clinker-features=-lld")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got struct {
		Status string
		Failed []any
		Link   json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got.Status != "PASS" || len(got.Failed) > 0 {
		t.Errorf("got %s, want PASS\n%v", got.Status, got.Failed)
	}
	var want bytes.Buffer
	testenv.Must(t, json.Compact(&want, []byte(runx.Must(t, dir, nil, "explain", "--json", "--sysroot", sysroot, "--", "-Clinker-features=-lld").Stdout)))
	if diff := cmp.Diff(want.String(), string(got.Link)); diff != "" {
		t.Errorf("link (-x +program)\n%s", diff)
	}
	archives, err := filepath.Glob(filepath.Join(made, "*.tar.zst"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("got archives %q (%v), want 1", archives, err)
	}
	testenv.Must(t, os.Truncate(archives[0], 1000))
	if out, err := p.run(t, "-sysroot", sysroot, made); err != nil || !strings.Contains(out, `"status":"FAIL"`) {
		t.Errorf("a cut archive: got %v and\n%.500s", err, out)
	}
}

// testCombine installs the combined archive by its own script.
func testCombine(t *testing.T, p program) {
	tar, sh := testenv.Need(t, "tar"), testenv.Need(t, "sh")
	var tool dist.Image
	testenv.Must(t, tool.AddBytes("bin/tool", []byte("#!/bin/sh\n"), dist.ModeExec))
	in, err := archive.Writer{Formats: []archive.Format{archive.GZ}}.Write(t.Context(), p.dir,
		dist.Package{Name: "tool-1.0", Components: []dist.Component{{Name: "tool", Image: tool}}})
	testenv.Must(t, err)
	const name = "board-1.0"
	if out, err := p.run(t, "-name", name, in[0].Path, "out"); err != nil || out != name+".tar.xz\n" {
		t.Fatalf("got %v and\n%s", err, out)
	}
	for _, args := range [][]string{
		{tar, "-xf", "out/" + name + ".tar.xz"},
		{sh, name + "/install.sh", "--prefix=" + filepath.Join(p.dir, "prefix"), "--disable-ldconfig"},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = p.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	for _, file := range []string{"bin/tool", "share/board/board.toml"} {
		if _, err := os.Stat(filepath.Join(p.dir, "prefix", file)); err != nil {
			t.Error(err)
		}
	}
	if out, err := p.run(t, "-name", name, "nothing.tar.xz", "out"); err == nil || !strings.Contains(out, "nothing.tar.xz") {
		t.Errorf("no archive: got %v and\n%s", err, out)
	}
}

// testMirror mirrors one host of a channel of two, with an own target on top.
func testMirror(t *testing.T, p program) {
	const (
		upstream = "https://static.rust-lang.org/dist"
		host     = "x86_64-unknown-linux-gnu"
		other    = "aarch64-unknown-linux-gnu"
		own      = "riscv64gc-unknown-linux-musl"
	)
	writeChannel(t, filepath.Join(p.dir, "upstream"), upstream, "2026-04-16", "",
		"rustc "+host, "rustc "+other, "rust-std "+host, "rust-std "+other, "cargo "+host, "cargo "+other, "rustfmt "+host, "clippy "+host, "rust-src ")
	writeChannel(t, filepath.Join(p.dir, "own"), upstream, "2026-05-02", "built here", "rust-std "+own)
	args := []string{
		"-from", upstream, "-to", "https://mirror.example.org/rust", "-hosts", host, "-packages", "rustc,cargo,rust-std,rustfmt",
		"upstream", "own", "out",
	}
	out, err := p.run(t, args...)
	if want := "channel-rust-stable.toml\nchannel-rust-1.95.0.toml\nchannel-rust-1.95.toml\n"; err != nil || out != want {
		t.Fatalf("%v: got output\n%s\nwant\n%s", err, out, want)
	}
	data, err := os.ReadFile(filepath.Join(p.dir, "out/channel-rust-1.95.toml"))
	if err != nil {
		t.Fatal(err)
	}
	channel, findings, _ := manifests.CheckChannel(data)
	for _, f := range findings {
		t.Errorf("mirrored channel: %v", f)
	}
	got := map[string]string{} // hash by the place of the file
	for _, d := range channel.Downloads() {
		name, ok := strings.CutPrefix(d.URL, "https://mirror.example.org/rust/")
		if !ok {
			t.Errorf("got URL %q", d.URL)
		}
		file, err := os.ReadFile(filepath.Join(p.dir, "out", name))
		if err != nil || manifests.HashOf(file) != d.Hash {
			t.Errorf("%s: got another file or %v", name, err)
		}
		got[name] = string(file)
	}
	want := map[string]string{}
	for _, archive := range []string{"cargo-1.95.0-" + host, "rust-std-1.95.0-" + other, "rust-std-1.95.0-" + host, "rustc-1.95.0-" + host, "rustfmt-1.95.0-" + host} {
		want["2026-04-16/"+archive+".tar.xz"] = archive + ".tar.xz"
	}
	want["2026-05-02/rust-std-1.95.0-"+own+".tar.xz"] = "rust-std-1.95.0-" + own + ".tar.xz"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	ref := manifests.ComponentRef{Package: "rust-std", Target: own}
	if !slices.Contains(channel.Packages["rust"].Targets[host].Extensions, ref) {
		t.Errorf("the host does not offer %v", ref)
	}
	if err := os.Remove(filepath.Join(p.dir, "upstream/2026-04-16/cargo-1.95.0-"+host+".tar.xz")); err != nil {
		t.Fatal(err)
	}
	if out, err := p.run(t, args...); err == nil || !strings.HasPrefix(out, "mirror: open upstream") {
		t.Errorf("without an archive: got %v and\n%s", err, out)
	}
}

// writeChannel writes a channel and its archives, given as "COMPONENT TARGET", in
// the layout of a server with the URL base. An archive holds its own name.
func writeChannel(t *testing.T, dir, base, date, description string, archives ...string) {
	t.Helper()
	release, err := targets.ParseRelease("1.95.0")
	if err != nil {
		t.Fatal(err)
	}
	version := manifests.Version{Release: release, Description: description}
	plan := manifests.ChannelPlan{Version: version, Date: date, URLBase: base + "/" + date}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, date), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, a := range archives {
		component, target, _ := strings.Cut(a, " ")
		file := strings.TrimSuffix(component+"-1.95.0-"+target, "-") + ".tar.xz"
		name, err := manifests.ParseArchiveName(file)
		if err != nil {
			t.Fatal(err)
		}
		plan.Archives = append(plan.Archives, manifests.ListedArchive{ArchiveName: name, Hash: manifests.HashOf([]byte(file))})
		write(filepath.Join(date, file), []byte(file))
	}
	channel, err := plan.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range manifests.ChannelFiles(version.Names(), version.CommitHash, channel, manifests.DialectDist) {
		write(f.Name, f.Data)
	}
}
