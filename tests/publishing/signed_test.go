package publishing

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/go-cmp/cmp"

	"x.go/dist/publish"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/tests/runx"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// keys are files with keys of one owner; the expired one is the public key as it was
// before it was renewed.
type keys struct{ secret, public, expired, minisign, minisignPublic string }

func newKeys(t testing.TB) keys {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, write func(*bytes.Buffer) error) string {
		var data bytes.Buffer
		testenv.Must(t, write(&data))
		testenv.Must(t, os.WriteFile(filepath.Join(dir, name), data.Bytes(), 0o600))
		return filepath.Join(dir, name)
	}
	at := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	var k keys
	e, err := openpgp.NewEntity("Release", "", "release@example.org", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: 60, Time: func() time.Time { return at }})
	testenv.Must(t, err)
	k.expired = write("expired", func(b *bytes.Buffer) error { return e.Serialize(b) })
	for _, id := range e.Identities {
		self := id.SelfCertifications[0].Packet
		self.KeyLifetimeSecs = nil
		testenv.Must(t, self.SignUserId(id.Name, e.PrimaryKey, e.PrivateKey, &packet.Config{Time: func() time.Time { return at }}))
	}
	k.public = write("public", func(b *bytes.Buffer) error { return e.Serialize(b) })
	k.secret = write("secret", func(b *bytes.Buffer) error { return e.SerializePrivateWithoutSigning(b, nil) })
	public, secret, err := minisign.GenerateKey(nil)
	testenv.Must(t, err)
	text := func(m interface{ MarshalText() ([]byte, error) }) func(*bytes.Buffer) error {
		return func(b *bytes.Buffer) error {
			data, err := m.MarshalText()
			b.Write(data)
			return err
		}
	}
	k.minisignPublic, k.minisign = write("minisign.pub", text(public)), write("minisign.key", text(secret))
	return k
}

// sign signs the channel of a directory with both keys.
func (k keys) sign(t testing.TB, dir string) string {
	t.Helper()
	runx.Must(t, t.TempDir(), []string{"SOURCE_DATE_EPOCH=1776400000"}, "channel", "sign", "--key", k.secret, "--minisign-key", k.minisign, dir)
	return dir
}

// A signed channel passes the gate with the keys that it is signed with. What is wrong
// with a signature is found before anything is put, with or without the gate.
func TestSigned(t *testing.T) {
	t.Parallel()
	k, stranger := newKeys(t), newKeys(t)
	signed := k.sign(t, release{version: "1.95.0", date: "2026-04-16"}.write(t))
	without := func(names ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, name := range names {
				testenv.Must(t, os.Remove(filepath.Join(dir, name)))
			}
		}
	}
	change := func(name, from, to string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			testenv.Must(t, err)
			if !strings.Contains(string(data), from) {
				t.Fatalf("%s has no %q", name, from)
			}
			testenv.Must(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(data), from, to, 1)), 0o644))
		}
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, dir string)
		args   []string
		want   string // in the error; "" if it is published
	}{
		{"both keys", nil, []string{"--keyring", k.public, "--keyring", k.minisignPublic}, ""},
		{"one key of two", nil, []string{"--keyring", k.public}, "signatures are not checked"},
		{"one key of one", without("channel-rust-stable.toml.minisig", "channel-rust-1.95.toml.minisig", "channel-rust-1.95.0.toml.minisig", "SHA256SUMS.minisig",
			"channel-rust-stable-provenance.json.minisig", "channel-rust-1.95-provenance.json.minisig", "channel-rust-1.95.0-provenance.json.minisig"), []string{"--keyring", k.public}, ""},
		{"no key", nil, nil, "signatures are not checked"},
		{"no key, allowed", nil, []string{"--allow-skip", "input/unchecked-file"}, ""},
		{"stranger's key", nil, []string{"--keyring", stranger.public}, "does not hold"},
		{"stranger's minisign key", nil, []string{"--keyring", stranger.minisignPublic}, "does not hold"},
		{"expired key", nil, []string{"--keyring", k.expired}, "has expired"},
		{"one manifest is not signed", without("channel-rust-1.95.toml.asc"), []string{"--keyring", k.public}, `"channel-rust-1.95.toml": it is not signed`},
		{"SHA256SUMS is not signed", without("SHA256SUMS.asc"), []string{"--keyring", k.public}, `SHA256SUMS": it is not signed`},
		{"changed signature", change("channel-rust-stable.toml.minisig", "timestamp:", "timestamp:1"), []string{"--keyring", k.minisignPublic}, "did not sign this"},
		{"changed provenance", change("channel-rust-stable-provenance.json", "{", "{ "), []string{"--keyring", k.public}, "was signed before: sign again"},
		{"no such key", nil, []string{"--keyring", "none"}, "none"},
		{"two keys of a kind", nil, []string{"--keyring", k.public, "--keyring", stranger.public}, "got two files with keys for *.asc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "dist")
			testenv.Must(t, os.CopyFS(dir, os.DirFS(signed)))
			if tt.change != nil {
				tt.change(t, dir)
			}
			gates := []string{"static,channel"}
			if tt.want != "" && !strings.Contains(tt.want, "signatures are not checked") {
				gates = []string{"none"}
			}
			for _, gate := range gates {
				p := place{url: t.TempDir()}
				r := p.gated(t, dir, append([]string{"--gate", gate}, tt.args...)...)
				if tt.want == "" {
					if r.Code != 0 {
						t.Errorf("--gate %s: got %d\n%s", gate, r.Code, r.Stderr)
					}
					continue
				}
				if r.Code == 0 || !strings.Contains(r.Stderr, tt.want) {
					t.Errorf("--gate %s: got %d, %s; want %q", gate, r.Code, r.Stderr, tt.want)
				}
				if got := storetest.Names(t, p.open(t), ""); got != nil {
					t.Errorf("--gate %s: refused, and yet the store has %q", gate, got)
				}
			}
		})
	}
}

// sums requires each SHA256SUMS of a store to name what is there, and returns their names.
func sums(t testing.TB, s *store.Store) []string {
	t.Helper()
	var out []string
	for _, name := range storetest.Names(t, s, "dist/") {
		if !strings.HasSuffix(name, "SHA256SUMS") {
			continue
		}
		out = append(out, name)
		want, err := manifests.ParseChecksums([]byte(storetest.Read(t, s, name, 0)))
		testenv.Must(t, err)
		for file, h := range want {
			if got, err := s.Hash(t.Context(), name[:strings.LastIndexByte(name, '/')+1]+file); err != nil || got != h {
				t.Errorf("%s: %s: got %s, %v", name, file, got, err)
			}
		}
	}
	return out
}

// Two channels of one day are signed and published, and neither takes what the other has.
func TestSignedOfOneDay(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	stable := k.sign(t, release{version: "1.95.0", date: "2026-04-16"}.write(t))
	beta := k.sign(t, release{version: "1.96.0-beta.3", date: "2026-04-16"}.write(t))
	nightly := k.sign(t, release{version: "1.97.0-nightly", date: "2026-04-16"}.write(t))
	onEach(t, func(t *testing.T, p place) {
		s := p.open(t)
		for _, dir := range []string{nightly, stable, beta, nightly} {
			p.must(t, dir, "--keyring", k.public, "--keyring", k.minisignPublic)
		}
		sound(t, s)
		var want []string
		for _, name := range []string{"1.95", "1.95.0", "1.96-beta", "1.96.0-beta", "1.96.0-beta.3", "beta", "nightly", "stable"} {
			want = append(want, "dist/2026-04-16/channel-rust-"+name+"-SHA256SUMS")
		}
		if diff := cmp.Diff(want, sums(t, s)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if local, ok := strings.CutPrefix(p.url, "file://"); ok {
			runx.Must(t, t.TempDir(), p.env, "verify", "--checks", "static,channel", "--keyring", k.public, "--keyring", k.minisignPublic, filepath.Join(local, "dist", "2026-04-16"))
		}
		runx.Must(t, t.TempDir(), p.env, "verify", "--store", p.url)
	})
}

// SHA256SUMS of a directory with two channels is of no use where only one of them lies.
func TestSignedTogether(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	dir := release{version: "1.95.0", date: "2026-04-16"}.write(t)
	other := release{version: "1.97.0-nightly", date: "2026-04-16"}.write(t)
	testenv.Must(t, os.CopyFS(dir, os.DirFS(other)))
	p := place{url: t.TempDir()}
	one := filepath.Join(dir, "channel-rust-stable.toml")
	a := p.must(t, one, "--dry-run")
	if i := slices.IndexFunc(a.Steps, func(s publish.Step) bool { return strings.Contains(s.Name, "channel-rust-nightly") }); i >= 0 {
		t.Errorf("stable alone puts %s", a.Steps[i].Name)
	}
	k.sign(t, dir)
	if r := p.publish(t, one, "--keyring", k.public); r.Code != 1 || !strings.Contains(r.Stderr, "sign the channel in a directory of its own") {
		t.Errorf("got %d, %s", r.Code, r.Stderr)
	}
}
