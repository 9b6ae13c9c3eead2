package attest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/go-cmp/cmp"

	"x.go/dist/sign"
	"x.go/manifests"
	"x.go/tests/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

const host = "x86_64-unknown-linux-gnu"

var (
	born = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	at   = born.AddDate(0, 1, 0)
)

// newKey makes a key, as a signer and as a public file.
func newKey(t *testing.T) (sign.Signer, []byte) {
	t.Helper()
	e, err := openpgp.NewEntity("Release", "", "r@example.org", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return born }})
	testenv.Must(t, err)
	var secret, public bytes.Buffer
	testenv.Must(t, e.SerializePrivateWithoutSigning(&secret, nil))
	testenv.Must(t, e.Serialize(&public))
	key, err := sign.ParseKey("key", secret.Bytes(), nil)
	testenv.Must(t, err)
	return key, public.Bytes()
}

// newArchive returns an archive with a build record, or without one.
func newArchive(t *testing.T, stem, record string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	testenv.Must(t, w.WriteHeader(&tar.Header{Name: stem + "/", Typeflag: tar.TypeDir, Mode: 0o755}))
	for name, text := range map[string]string{"version": "1.95.0\n", manifests.BuildRecordFile: record} {
		if text != "" {
			testenv.Must(t, w.WriteHeader(&tar.Header{Name: stem + "/" + name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}))
			_, err := w.Write([]byte(text))
			testenv.Must(t, err)
		}
	}
	testenv.Must(t, w.Close())
	testenv.Must(t, z.Close())
	return out.Bytes()
}

// newChannel writes a channel of three archives; that of rust-std has no build record,
// that of rustfmt is not here.
func newChannel(t *testing.T, date string) string {
	t.Helper()
	dir := t.TempDir()
	c := &manifests.Channel{Date: date, Packages: map[string]manifests.Package{}}
	record, err := manifests.BuildRecord{X: "1", LLD: manifests.RecordedLLD{Wrapper: "none", Launcher: "none"},
		Toolchain: manifests.RecordedCompiler{Release: "1.95.0", Host: host}, Inputs: map[string]manifests.Hash{"bin/rustc": {1}}}.Encode()
	testenv.Must(t, err)
	for pkg, text := range map[string]string{"rustc": string(record), "rust-std": "", "rustfmt-preview": ""} {
		stem := pkg + "-1.95.0-" + host
		data, name := newArchive(t, stem, text), stem+".tar.gz"
		if pkg != "rustfmt-preview" {
			write(t, dir, name, data)
			write(t, dir, name+manifests.ChecksumExt, manifests.FormatChecksum(manifests.HashOf(data), name))
		}
		c.Packages[pkg] = manifests.Package{Version: "1.95.0", Targets: map[string]manifests.PackageTarget{
			host: {Available: true, GZ: manifests.Download{URL: manifests.OfficialServer + "/dist/" + date + "/" + name, Hash: manifests.HashOf(data)}},
		}}
	}
	for _, name := range []string{"channel-rust-stable.toml", "channel-rust-1.95.0.toml"} {
		data := c.Encode(manifests.DialectDist)
		write(t, dir, name, data)
		write(t, dir, name+manifests.ChecksumExt, manifests.FormatChecksum(manifests.HashOf(data), name))
	}
	return dir
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	testenv.Must(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
}

// names returns the names of files with a status.
func names(files []File, status string) []string {
	var out []string
	for _, f := range files {
		if f.Status == status {
			out = append(out, f.Name)
		}
	}
	return out
}

// gpgv and sha256sum accept what is written; a second run leaves it alone, and equal
// directories get equal bytes.
func TestChannel(t *testing.T) {
	t.Parallel()
	dir := newChannel(t, "2026-04-16")
	key, public := newKey(t)
	opts := Options{Signers: []sign.Signer{key}, Time: at, Version: "2"}
	before := testenv.Contents(t, dir)
	dry := opts
	dry.DryRun = true
	files, err := Channel(t.Context(), dir, dry)
	testenv.Must(t, err)
	if diff := cmp.Diff(before, testenv.Contents(t, dir)); diff != "" {
		t.Errorf("a dry run wrote (-before +after):\n%s", diff)
	}
	want := []string{
		"SHA256SUMS", "SHA256SUMS.asc",
		"channel-rust-1.95.0-provenance.json", "channel-rust-1.95.0-provenance.json.asc", "channel-rust-1.95.0-provenance.json.sha256", "channel-rust-1.95.0.toml.asc",
		"channel-rust-stable-provenance.json", "channel-rust-stable-provenance.json.asc", "channel-rust-stable-provenance.json.sha256", "channel-rust-stable.toml.asc",
	}
	if diff := cmp.Diff(want, names(files, written)); diff != "" {
		t.Errorf("dry run (-want +got):\n%s", diff)
	}
	again, err := Channel(t.Context(), dir, opts)
	testenv.Must(t, err)
	if diff := cmp.Diff(files, again); diff != "" {
		t.Errorf("after the dry run (-want +got):\n%s", diff)
	}
	complete := testenv.Contents(t, dir)
	for _, o := range []Options{opts, {Signers: opts.Signers, Version: "2"}} {
		again, err = Channel(t.Context(), dir, o)
		testenv.Must(t, err)
		if got := names(again, written); got != nil || cmp.Diff(complete, testenv.Contents(t, dir)) != "" {
			t.Errorf("a second run wrote %q", got)
		}
	}
	p, err := manifests.ParseProvenance([]byte(complete["channel-rust-stable-provenance.json"]))
	testenv.Must(t, err)
	var subjects, inputs []string
	for _, r := range p.Subjects {
		subjects = append(subjects, r.Name)
	}
	for _, r := range p.Predicate.Definition.Dependencies {
		inputs = append(inputs, r.Name)
	}
	if diff := cmp.Diff([][]string{
		{"channel-rust-stable.toml", "rustc-1.95.0-" + host + ".tar.gz"},
		{"bin/rustc", "rust-std-1.95.0-" + host + ".tar.gz", "rustfmt-preview-1.95.0-" + host + ".tar.gz"},
	}, [][]string{subjects, inputs}); diff != "" {
		t.Errorf("outputs and inputs (-want +got):\n%s", diff)
	}
	gpgv := testenv.Need(t, "gpgv")
	write(t, dir, "public", public)
	for _, name := range want {
		if of, ok := strings.CutSuffix(name, ".asc"); ok {
			must(t, dir, gpgv, "--keyring", "./public", name, of)
		}
	}
	must(t, dir, testenv.Need(t, "sha256sum"), "-c", "--strict", "SHA256SUMS")
}

func must(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%q: %v\n%s", args, err, out)
	}
}

// A channel that contradicts itself is not signed, and nothing is written.
func TestChannelErrors(t *testing.T) {
	t.Parallel()
	const rustc = "rustc-1.95.0-" + host + ".tar.gz"
	key, _ := newKey(t)
	for _, test := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   string
	}{
		{"changed archive", func(t *testing.T, dir string) { write(t, dir, rustc, []byte("x")) }, "make the channel anew"},
		{"changed manifest", func(t *testing.T, dir string) {
			write(t, dir, "channel-rust-stable.toml", append([]byte("# \n"), testenv.Contents(t, dir)["channel-rust-stable.toml"]...))
		}, `"channel-rust-stable.toml" has sha256`},
		{"no checksum", func(t *testing.T, dir string) {
			testenv.Must(t, os.Remove(filepath.Join(dir, "channel-rust-stable.toml.sha256")))
		}, "has no .sha256 beside it"},
		{"two dates", func(t *testing.T, dir string) {
			other := testenv.Contents(t, newChannel(t, "2026-04-17"))["channel-rust-stable.toml"]
			write(t, dir, "channel-rust-beta.toml", []byte(other))
		}, "each date needs a directory of its own"},
		{"no channel", func(t *testing.T, dir string) {
			for _, name := range testenv.List(t, dir) {
				if strings.HasPrefix(name, "channel") {
					testenv.Must(t, os.Remove(filepath.Join(dir, name)))
				}
			}
		}, "it has no channel manifest"},
		{"malformed", func(t *testing.T, dir string) { write(t, dir, "channel-rust-x.toml", []byte("a")) }, `reading "channel-rust-x.toml"`},
		{"link", func(t *testing.T, dir string) {
			testenv.Must(t, os.Symlink("channel-rust-stable.toml", filepath.Join(dir, "channel-rust-x.toml")))
		}, "channel-rust-x.toml"},
	} {
		dir := newChannel(t, "2026-04-16")
		test.change(t, dir)
		before := testenv.List(t, dir)
		_, err := Channel(t.Context(), dir, Options{Signers: []sign.Signer{key}, Time: at})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it", test.name, err, test.want)
		}
		if diff := cmp.Diff(before, testenv.List(t, dir)); diff != "" {
			t.Errorf("%s: left files (-before +after):\n%s", test.name, diff)
		}
	}
}

// A signer that fails leaves no file, and what changes loses its old signatures.
func TestChannelAgain(t *testing.T) {
	t.Parallel()
	dir := newChannel(t, "2026-04-16")
	key, public := newKey(t)
	_, err := Channel(t.Context(), dir, Options{Signers: []sign.Signer{key}, Time: at})
	testenv.Must(t, err)
	before := testenv.Contents(t, dir)
	keyring, err := sign.ParseKeyring("public", public)
	testenv.Must(t, err)
	failing := &sign.Command{Args: []string{testenv.Need(t, "false")}, Public: keyring}
	if _, err := Channel(t.Context(), dir, Options{Signers: []sign.Signer{failing}, Time: at.AddDate(0, 0, 1), Version: "2"}); err == nil || !strings.Contains(err.Error(), `running "`) {
		t.Errorf("got error %v", err)
	}
	if diff := cmp.Diff(before, testenv.Contents(t, dir)); diff != "" {
		t.Errorf("a failed run changed (-before +after):\n%s", diff)
	}
	_, err = Channel(t.Context(), dir, Options{Version: "2"}) // another provenance, which nobody signs
	testenv.Must(t, err)
	var signed []string
	for _, name := range testenv.List(t, dir) {
		if strings.HasSuffix(name, ".asc") {
			signed = append(signed, name)
		}
	}
	if want := []string{"channel-rust-1.95.0.toml.asc", "channel-rust-stable.toml.asc"}; !slices.Equal(signed, want) {
		t.Errorf("got signatures %q, want %q", signed, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Channel(ctx, dir, Options{}); err == nil {
		t.Error("a run that was stopped reports no error")
	}
}
