package compose_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/compose"
	"x.go/manifests"
	"x.go/tests/testenv"
)

const (
	host    = "x86_64-unknown-linux-gnu"
	release = "1.95.0 (59807616e 2026-04-14)"
	commit  = "59807616ea1c64c5db4c4b2ab9ab3bc3f5a95ea7"
)

// made is an archive of a test: a component of some bytes.
type made struct {
	stem      string // of the file
	component string // its directory in the archive
	files     []string
	version   string // release if empty
	commit    string // commit if empty; "-" for none
	format    archive.Format
	record    *manifests.BuildRecord
}

// write writes archives into a new directory.
func write(t *testing.T, all ...made) string {
	t.Helper()
	dir := t.TempDir()
	for _, m := range all {
		var img, overlay dist.Image
		for _, name := range m.files {
			mode := dist.ModeFile
			if strings.HasPrefix(name, "bin/") {
				mode = dist.ModeExec
			}
			testenv.Must(t, img.AddBytes(name, []byte("#!/bin/sh\n# "+m.stem+"\n"), mode))
		}
		text := func(name, value, other string) {
			if value == "" {
				value = other
			}
			if value != "-" {
				testenv.Must(t, overlay.AddBytes(name, []byte(value), dist.ModeFile))
			}
		}
		text("version", m.version, release)
		text("git-commit-hash", m.commit, commit)
		if m.record != nil {
			data, err := m.record.Encode()
			testenv.Must(t, err)
			testenv.Must(t, overlay.AddBytes(manifests.BuildRecordFile, data, dist.ModeFile))
		}
		format := m.format
		if format == "" {
			format = archive.GZ
		}
		w := archive.Writer{Formats: []archive.Format{format}, Profile: archive.Fast}
		_, err := w.Write(t.Context(), dir, dist.Package{
			Name: m.stem, Components: []dist.Component{{Name: m.component, Image: img}}, Overlay: overlay,
			Product: "Rust", SuccessMessage: "installed.",
		})
		testenv.Must(t, err)
	}
	return dir
}

// rustc, std and others are archives as x.py writes them.
func rustc(target string) made {
	return made{stem: "rustc-1.95.0-" + target, component: "rustc", files: []string{"bin/rustc"}}
}

func std(target string) made {
	return made{stem: "rust-std-1.95.0-" + target, component: "rust-std-" + target, files: []string{"lib/rustlib/" + target + "/lib/libstd.rlib"}}
}

func tool(archive, component string) made {
	return made{stem: archive + "-1.95.0-" + host, component: component, files: []string{"bin/" + archive}, version: "0.1.95 (59807616e 2026-04-14)"}
}

// compose makes a channel of directories and writes it to a directory dist.
func makeChannel(t *testing.T, o compose.MakeOptions, dirs ...string) (dist string, d *compose.Draft) {
	t.Helper()
	d, err := compose.Make(t.Context(), dirs, o)
	testenv.Must(t, err)
	return writeDraft(t, d, filepath.Join(t.TempDir(), "dist")), d
}

func writeDraft(t *testing.T, d *compose.Draft, out string) string {
	t.Helper()
	root, err := dist.OpenDir(out)
	testenv.Must(t, err)
	defer root.Close()
	_, err = d.Write(t.Context(), root, nil)
	testenv.Must(t, err)
	return out
}

// rustup is a real client with homes of its own.
type rustup struct {
	t       *testing.T
	program string
	home    string
	server  string // URL above dist
}

func newRustup(t *testing.T, dist string) *rustup {
	t.Helper()
	return &rustup{t, testenv.Need(t, "rustup"), t.TempDir(), "file://" + filepath.ToSlash(filepath.Dir(dist))}
}

func (r *rustup) run(args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), r.program, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.home, "RUSTUP_HOME=" + filepath.Join(r.home, "rustup"), "CARGO_HOME=" + filepath.Join(r.home, "cargo"),
		"RUSTUP_DIST_SERVER=" + r.server, "RUSTUP_TERM_COLOR=never",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("rustup %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// install installs a toolchain for the host of the tests' channels.
func (r *rustup) install(name, profile string) {
	r.t.Helper()
	r.run("toolchain", "install", name+"-"+host, "--no-self-update", "--force-non-host", "--profile", profile)
}

// has returns what is installed of a toolchain.
func (r *rustup) has(name string) []string {
	data, err := os.ReadFile(filepath.Join(r.home, "rustup", "toolchains", name+"-"+host, "lib/rustlib/components"))
	testenv.Must(r.t, err)
	names := strings.Fields(string(data))
	slices.Sort(names)
	return names
}

// parse reads the manifest of a name.
func parse(t *testing.T, dist, name string) *manifests.Channel {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dist, "channel-rust-"+name+".toml"))
	testenv.Must(t, err)
	c, findings, _ := manifests.CheckChannel(data)
	if len(findings) > 0 {
		t.Fatalf("channel %s: %v", name, findings)
	}
	return c
}
