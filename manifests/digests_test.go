package manifests_test

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/tests/testenv"
)

func sampleDigests() manifests.Digests {
	return manifests.Digests{
		Component: "rustc", Prefix: "/usr", Manifest: manifests.HashOf([]byte("manifest")),
		Files: []manifests.FileDigest{
			{Path: "/etc/conf", Mode: 0o644, Size: 3, Hash: manifests.HashOf([]byte("abc"))},
			{Path: "a\n\xff\"", Mode: 0o644, Hash: manifests.HashOf(nil)},
			{Path: "bin/a b", Mode: 0o755, Hash: manifests.HashOf(nil)},
			{Path: "lib/l", Mode: fs.ModeSymlink | 0o777, Link: "../\tx"},
			{Path: "share/empty", Mode: fs.ModeDir | 0o755},
		},
	}
}

func TestDigests(t *testing.T) {
	testDigests(t, sampleDigests())
	want := sampleDigests()
	want.Uninstaller = manifests.HashOf([]byte("#!/bin/sh"))
	testDigests(t, want)
}

func testDigests(t *testing.T, want manifests.Digests) {
	t.Helper()
	mixed := want
	mixed.Files = append(want.Files[2:5:5], want.Files[:2]...)
	text, err := mixed.Encode()
	testenv.Must(t, err)
	got, err := manifests.ParseDigests(text)
	testenv.Must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, line := range []string{"x-digests 1", "prefix\t/usr", "link\t777\tlib/l\t\"../\\tx\"", "dir\t755\tshare/empty"} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("got %s, want a line %q", text, line)
		}
	}
}

// TestDigestsErrors changes the text of the sample and puts a right sum below it.
func TestDigestsErrors(t *testing.T) {
	good, err := sampleDigests().Encode()
	testenv.Must(t, err)
	body := string(good[:bytes.LastIndex(good, []byte("sum\t"))])
	h := manifests.HashOf([]byte("abc")).String()
	for _, tt := range []struct{ name, from, to, want string }{
		{"empty", body, "", `line 1: got "sum`},
		{"other version", "x-digests 1", "x-digests 2", `line 1: got "x-digests 2", want "x-digests 1"`},
		{"component", "rustc", "../x", `line 2`},
		{"component is missing", "component\trustc\n", "", `line 2: got "prefix`},
		{"no uninstaller", "/usr\n", "/usr\nuninstaller\t" + h + "\n", `line 4`},
		{"zero uninstaller", "file\t644\t3", "uninstaller\t" + strings.Repeat("0", 64) + "\nfile\t644\t3", `line 5: got the digest of no uninstaller`},
		{"relative prefix", "/usr", "usr", `line 3: got prefix "usr", want a clean absolute path`},
		{"not clean", "/etc/conf", "/etc/../conf", `line 5: got path "/etc/../conf"`},
		{"climbs", "bin/a b", "../a", `line 7: got path "../a"`},
		{"not sorted", "bin/a b", "z", `line 8: got path "lib/l" after "z"`},
		{"twice", "bin/a b", "/etc/conf", `line 7: got path "/etc/conf" after`},
		{"mode", "\t644\t3", "\t0644\t3", `line 5: got "file\t0644`},
		{"setuid", "\t644\t3", "\t4755\t3", `line 5: got mode "4755"`},
		{"size", "\t644\t3", "\t644\t-3", `line 5: `},
		{"size with sign", "\t644\t3", "\t644\t+3", `line 5: `},
		{"digest", h, h[1:], `line 5: parsing sha256`},
		{"no digest", h, strings.Repeat("0", 64), `line 5: `},
		{"kind", "link\t", "fifo\t", `line 8: got "fifo`},
		{"needless quotes", "share/empty", `"share/empty"`, `line 9: got path "\"share/empty\"", want it written as share/empty`},
		{"open quote", "share/empty", `"share/empty`, `line 9: `},
		{"zero byte", "share/empty", `"share\x00"`, `line 9: `},
		{"carriage return", "share/empty\n", "share/empty\r\n", `line 9: `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(body, tt.from, tt.to, 1)
			text += "sum\t" + manifests.HashOf([]byte(text)).String() + "\n"
			if _, err := manifests.ParseDigests([]byte(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	for i := range good {
		if _, err := manifests.ParseDigests(good[:i]); err == nil {
			t.Fatalf("cut after %d bytes: got no error", i)
		}
	}
	for _, tt := range []struct{ name, text, want string }{
		{"changed", strings.Replace(string(good), "\t644\t3", "\t600\t3", 1), "line 10: got sum"},
		{"longer", string(good) + "x\n", "line 10: got more lines"},
	} {
		if _, err := manifests.ParseDigests([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestEncodeDigestsErrors(t *testing.T) {
	for name, change := range map[string]func(d *manifests.Digests){
		"twice":       func(d *manifests.Digests) { d.Files[1].Path = d.Files[0].Path },
		"no path":     func(d *manifests.Digests) { d.Files[0].Path = "" },
		"fifo":        func(d *manifests.Digests) { d.Files[0].Mode |= fs.ModeNamedPipe },
		"no digest":   func(d *manifests.Digests) { d.Files[0].Hash = manifests.Hash{} },
		"no target":   func(d *manifests.Digests) { d.Files[3].Link = "" },
		"component":   func(d *manifests.Digests) { d.Component = "a b" },
		"no prefix":   func(d *manifests.Digests) { d.Prefix = "" },
		"no manifest": func(d *manifests.Digests) { d.Manifest = manifests.Hash{} },
	} {
		d := sampleDigests()
		change(&d)
		if text, err := d.Encode(); err == nil {
			t.Errorf("%s: got %q, want an error", name, text)
		}
	}
}

// FuzzParseDigests holds that each text that can be read is the one that would be
// written. A sum that is wrong is put right, so that the lines are read.
func FuzzParseDigests(f *testing.F) {
	good, err := sampleDigests().Encode()
	testenv.Must(f, err)
	f.Add(good)
	f.Add([]byte("x-digests 1\ncomponent\ta\nprefix\t/\nmanifest\t"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if i := bytes.LastIndex(data, []byte("\nsum\t")); i >= 0 {
			data = append(data[:i+1:i+1], "sum\t"+manifests.HashOf(data[:i+1]).String()+"\n"...)
		}
		d, err := manifests.ParseDigests(data)
		if err != nil {
			return
		}
		again, err := d.Encode()
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("got %q, %v, want %q", again, err, data)
		}
	})
}
