package mirror_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"x.go/dist/mirror"
	"x.go/dist/sign"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// newSigner makes a key at a time, which is good for so many days, or for ever, and the
// keyring that holds it.
func newSigner(t testing.TB, when time.Time, days int) (*openpgp.Entity, *sign.Keyring) {
	t.Helper()
	e := val(openpgp.NewEntity("Release", "", "release@example.org", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA,
		Time: func() time.Time { return when }, KeyLifetimeSecs: uint32(days * 24 * 3600)}))(t)
	var public bytes.Buffer
	testenv.Must(t, e.Serialize(&public))
	return e, val(sign.ParseKeyring("keys", public.Bytes()))(t)
}

// born is when most keys were made.
var born = time.Now().AddDate(-2, 0, 0)

// sign writes a signature over each manifest.
func (s *server) sign(t testing.TB, key *openpgp.Entity) {
	t.Helper()
	for name, text := range tree(t, s.dir) {
		if strings.HasSuffix(name, ".toml") {
			var out bytes.Buffer
			testenv.Must(t, openpgp.DetachSign(&out, []*openpgp.Entity{key}, strings.NewReader(text), &packet.Config{Time: func() time.Time { return born.Add(time.Hour) }}))
			s.write(t, name+sign.OpenPGPExt, out.String())
		}
	}
}

// change changes the manifests, and their checksums, but no signatures.
func (s *server) change(t testing.TB, from, to string) {
	t.Helper()
	for name, text := range tree(t, s.dir) {
		if strings.HasSuffix(name, ".toml") {
			text = strings.ReplaceAll(text, from, to)
			s.write(t, name, text)
			s.write(t, name+manifests.ChecksumExt, string(manifests.FormatChecksum(manifests.HashOf([]byte(text)), filepath.Base(name))))
		}
	}
}

// signedServer has a stable release, and nightlies of which the newest lacks rustfmt,
// with a signature by key over each manifest.
func signedServer(t testing.TB, key *openpgp.Entity) *server {
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1), hosts: []string{gnu}})
	up.publish(t, release{version: "1.98.0-nightly", date: day(2), hosts: []string{gnu}})
	up.publish(t, release{version: "1.98.0-nightly", date: day(3), hosts: []string{gnu}, without: map[string]string{"rustfmt": gnu}})
	up.sign(t, key)
	return up
}

// A whole mirror bears the source's signatures, each of which was checked and fits the
// manifest beside it.
func TestSignedMirror(t *testing.T) {
	t.Parallel()
	key, ring := newSigner(t, born, 0)
	up := signedServer(t, key)
	for _, keyring := range []*sign.Keyring{ring, nil} {
		s, dir := openStore(t)
		o := mirror.Options{Source: up.url, Channels: []string{"stable", "1.96"}, Nightlies: 1, Keyring: keyring}
		r := run(t, s, o)
		for _, c := range r.Channels {
			if c.Whole != true || (c.Signature != nil) != (keyring != nil) {
				t.Errorf("%s: got whole %t, signature %v", c.Name, c.Whole, c.Signature)
			}
		}
		report := val(mirror.Verify(t.Context(), s, mirror.VerifyOptions{Keyrings: []*sign.Keyring{ring}}))(t)
		if !report.Passed || report.Signed != report.Manifests || report.Signed < 8 {
			t.Errorf("verifying: got %d of %d signed, %v", report.Signed, report.Manifests, report.Problems)
		}
		// Those that the source has for the same name and bytes.
		from, to := tree(t, up.dir), tree(t, dir)
		for _, name := range []string{"dist/" + day(1) + "/channel-rust-1.96.toml.asc", "dist/channel-rust-stable.toml.asc", "dist/" + day(2) + "/channel-rust-nightly.toml.asc"} {
			if from[name] != to[name] {
				t.Errorf("%s: got another signature than the source has", name)
			}
		}
		// Signed again, as with a renewed key: the manifests stay, signatures follow if
		// they are looked at.
		up.sign(t, key)
		if again := run(t, s, o); (len(again.Files) > 0) != (keyring != nil) {
			t.Errorf("signed again: got %v transferred", again.Files)
		}
		// A release without a signature does not keep that of the one before.
		testenv.Must(t, os.WriteFile(filepath.Join(dir, "dist/channel-rust-stable.toml"), []byte("old"), 0o644))
		testenv.Must(t, os.Rename(filepath.Join(up.dir, "dist/channel-rust-stable.toml.asc"), filepath.Join(up.dir, "away")))
		if _, err := mirror.Run(t.Context(), s, o); (err != nil) != (keyring != nil) {
			t.Errorf("without the signature: got %v", err)
		}
		wantNames(t, dir, keyring != nil, "dist/channel-rust-stable.toml.asc")
		testenv.Must(t, os.Rename(filepath.Join(up.dir, "away"), filepath.Join(up.dir, "dist/channel-rust-stable.toml.asc")))
	}
}

// A part has no signature, and says of which manifest it is.
func TestSignedPart(t *testing.T) {
	t.Parallel()
	key, ring := newSigner(t, born, 0)
	up := signedServer(t, key)
	s, dir := openStore(t)
	r := run(t, s, mirror.Options{Source: up.url, Channels: []string{"stable"}, Keyring: ring, Select: mirror.Selection{Hosts: []targets.Triple{triple(t, gnu)}, Profiles: []string{"minimal"}}})
	if c := r.Channels[0]; c.Whole || c.Signature == nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "signed by key "+c.Signature.Key+"; the part of it that is mirrored cannot bear that signature") {
		t.Errorf("got whole %t, signature %v, notes %q", c.Whole, c.Signature, r.Notes)
	}
	wantNames(t, dir, false, "dist/channel-rust-stable.toml.asc", "dist/"+day(1)+"/channel-rust-stable.toml.asc")
	intact(t, s)
	report := val(mirror.Verify(t.Context(), s, mirror.VerifyOptions{Keyrings: []*sign.Keyring{ring}}))(t)
	if report.Passed || report.Signed > 0 {
		t.Errorf("verifying a part with a keyring: got %d signed, %v", report.Signed, report.Problems)
	}
}

// Without a right signature of each manifest, nothing moves.
func TestUnsignedSource(t *testing.T) {
	t.Parallel()
	key, ring := newSigner(t, born, 0)
	_, other := newSigner(t, born, 0)
	upstream := val(sign.ReadKeyring(sign.UpstreamKeyring))(t)
	expired, expiredRing := newSigner(t, born, 365)
	dated, alias := "dist/"+day(1)+"/channel-rust-1.96.0.toml", "dist/channel-rust-1.96.toml"
	tests := map[string]struct {
		ring   *sign.Keyring
		change func(*server)
		want   string
	}{
		"missing":        {ring, func(s *server) { testenv.Must(t, os.Remove(filepath.Join(s.dir, "dist/channel-rust-stable.toml.asc"))) }, "dist/channel-rust-stable.toml is not signed"},
		"wrong key":      {other, nil, "does not hold"},
		"upstream's key": {upstream, nil, "108F66205EAEB0AAA8DD5E1C85AB96E6FA1BE5FE"},
		"expired key":    {expiredRing, func(s *server) { s.sign(t, expired) }, "has expired"},
		"no signature":   {ring, func(s *server) { s.write(t, "dist/channel-rust-stable.toml.asc", "signature") }, "checking the signature"},
		"huge":           {ring, func(s *server) { s.write(t, "dist/channel-rust-stable.toml.asc", strings.Repeat("x", 1<<20)) }, "more than 64 KiB"},
		"wrong alias":    {ring, func(s *server) { s.write(t, alias+".asc", "signature") }, alias + ".asc"},
		"wrong of a day": {ring, func(s *server) { s.write(t, dated+".asc", "signature") }, dated + ".asc"},
		"a changed byte": {ring, func(s *server) { s.change(t, "available = true", "available = true ") }, "did not sign this"},
		"of another name": {ring, func(s *server) {
			s.write(t, "dist/channel-rust-stable.toml.asc", tree(t, s.dir)["dist/channel-rust-nightly.toml.asc"])
		}, "did not sign this"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := signedServer(t, key)
			if tt.change != nil {
				tt.change(up)
			}
			s, dir := openStore(t)
			_, err := mirror.Run(t.Context(), s, mirror.Options{Source: up.url, Channels: []string{"stable"}, Nightlies: 1, Keyring: tt.ring})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if has(t, dir, "") {
				t.Errorf("it has written %d files", len(tree(t, dir)))
			}
			if got := up.archives(); len(got) > 0 {
				t.Errorf("it has asked for %q", got)
			}
		})
	}
}
