package sign

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

var (
	born   = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) // of keys
	signed = born.AddDate(0, 1, 0)
	later  = born.AddDate(0, 2, 0)
	text   = []byte("manifest-version = \"2\"\n")
)

// newEntity makes a secret key.
func newEntity(t testing.TB, config packet.Config, when time.Time) *openpgp.Entity {
	t.Helper()
	config.Time = func() time.Time { return when }
	if config.Algorithm == 0 {
		config.Algorithm = packet.PubKeyAlgoEdDSA
	}
	e, err := openpgp.NewEntity("Release", "", "release@example.org", &config)
	testenv.Must(t, err)
	return e
}

// public returns the public key as a file.
func public(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	testenv.Must(t, e.Serialize(&out))
	return out.Bytes()
}

// secret returns the secret key as a file.
func secret(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	testenv.Must(t, e.SerializePrivateWithoutSigning(&out, nil))
	return out.Bytes()
}

func armored(t testing.TB, kind string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, kind, map[string]string{"Comment": "of a stranger"})
	testenv.Must(t, err)
	_, err = w.Write(data)
	testenv.Must(t, err)
	testenv.Must(t, w.Close())
	return append(out.Bytes(), '\n')
}

func keyring(t testing.TB, data ...[]byte) *Keyring {
	t.Helper()
	k, err := ParseKeyring("keys", bytes.Join(data, nil))
	testenv.Must(t, err)
	return k
}

// makeSignature signs with x's own code, whatever the key is good for.
func makeSignature(t testing.TB, p *packet.PrivateKey, data []byte, change func(*packet.Signature)) []byte {
	t.Helper()
	sig := &packet.Signature{Version: p.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: p.PubKeyAlgo, Hash: crypto.SHA512,
		CreationTime: signed, IssuerKeyId: &p.KeyId, IssuerFingerprint: p.Fingerprint}
	if change != nil {
		change(sig)
	}
	config := &packet.Config{}
	digest, err := sig.PrepareSign(config)
	testenv.Must(t, err)
	digest.Write(data)
	testenv.Must(t, sig.Sign(digest, p, config))
	var out bytes.Buffer
	testenv.Must(t, sig.Serialize(&out))
	return out.Bytes()
}

// withHash changes the hash algorithm that a signature of version 4 names.
func withHash(sig []byte, id byte) []byte {
	sig = bytes.Clone(sig)
	sig[5] = id
	return sig
}

func lifetime(seconds uint32) func(*packet.Signature) {
	return func(s *packet.Signature) { s.SigLifetimeSecs = &seconds }
}

// What a keyring refuses, it refuses with the reason and the key.
func TestRefused(t *testing.T) {
	t.Parallel()
	key := newEntity(t, packet.Config{}, born)
	other := newEntity(t, packet.Config{}, born)
	brief := newEntity(t, packet.Config{KeyLifetimeSecs: 60 * 60 * 24 * 40}, born)
	revoked := newEntity(t, packet.Config{}, born)
	before := public(t, revoked)
	testenv.Must(t, revoked.Revoke(packet.KeySuperseded, "", &packet.Config{Time: func() time.Time { return signed.AddDate(0, 0, 2) }}))
	good := makeSignature(t, key.PrivateKey, text, nil)
	fpr := fingerprint(key.PrimaryKey)
	var inline bytes.Buffer
	w, err := openpgp.Sign(&inline, []*openpgp.Entity{key}, nil, &packet.Config{Time: func() time.Time { return signed }})
	testenv.Must(t, err)
	_, err = w.Write(text)
	testenv.Must(t, err)
	testenv.Must(t, w.Close())
	for _, test := range []struct {
		name      string
		keys      []byte
		data, sig []byte
		now       time.Time
		want      []string
	}{
		{"changed byte", public(t, key), append(bytes.Clone(text), ' '), good, later, []string{"key " + fpr, "did not sign this"}},
		{"wrong key", public(t, other), text, good, later, []string{"by key " + fpr, "\"keys\" does not hold: that has " + fingerprint(other.PrimaryKey)}},
		{"no signature", public(t, key), text, nil, later, []string{"it is empty"}},
		{"expired key", public(t, brief), text, makeSignature(t, brief.PrivateKey, text, nil), later, []string{fingerprint(brief.PrimaryKey), "has expired: get the renewed key"}},
		{"expired signature", public(t, key), text, makeSignature(t, key.PrivateKey, text, lifetime(3600)), later, []string{"signature by key " + fpr, "of 2025-04-01 has expired"}},
		{"from the future", public(t, key), text, good, born, []string{fpr, "2025-04-01, which is in the future"}},
		{"revoked", public(t, revoked), text, makeSignature(t, revoked.PrivateKey, text, nil), later, []string{fingerprint(revoked.PrimaryKey), "is revoked"}},
		{"revoked, and not in another copy", append(before, public(t, revoked)...), text, makeSignature(t, revoked.PrivateKey, text, nil), later, []string{"is revoked"}},
		{"SHA-1", public(t, key), text, withHash(good, 2), later, []string{fpr, "can be forged (SHA-1)"}},
		{"MD5", public(t, key), text, withHash(good, 1), later, []string{"it is damaged, or of a kind that is not known"}},
		{"text", public(t, key), text, makeSignature(t, key.PrivateKey, text, func(s *packet.Signature) { s.SigType = packet.SigTypeText }), later, []string{fpr, "signed a text"}},
		{"critical notation", public(t, key), text, makeSignature(t, key.PrivateKey, text, func(s *packet.Signature) {
			s.Notations = []*packet.Notation{{Name: "x@example.org", Value: []byte("1"), IsCritical: true}}
		}), later, []string{fpr, "condition that is not known: \"x@example.org\""}},
		{"truncated", public(t, key), text, good[:len(good)-9], later, []string{"it is damaged"}},
		{"cut armor", public(t, key), text, armored(t, openpgp.SignatureType, good)[:150], later, []string{"it is cut short"}},
		{"two armors", public(t, key), text, bytes.Repeat(armored(t, openpgp.SignatureType, good), 2), later, []string{"several armored parts"}},
		{"huge", public(t, key), text, bytes.Repeat(good, 1000), later, []string{"more than 64 KiB"}},
		{"many", public(t, key), text, bytes.Repeat(good, 17), later, []string{"more than 16 signatures"}},
		{"cleartext", public(t, key), text, []byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nx\n" + string(armored(t, openpgp.SignatureType, good))), later, []string{"signature inside"}},
		{"signed text", public(t, key), text, inline.Bytes(), later, []string{"more than signatures"}},
		{"public key", public(t, key), text, armored(t, openpgp.PublicKeyType, public(t, key)), later, []string{`got "-----BEGIN PGP PUBLIC KEY BLOCK-----"`}},
		{"other text", public(t, key), text, []byte("<html>\x1b[2J"), later, []string{`got "<html>\x1b[2J"`}},
		{"minisign", public(t, key), text, []byte("untrusted comment: x\n"), later, []string{"want a detached OpenPGP signature"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := keyring(t, test.keys).checkAt(test.data, test.sig, test.now)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got error %q, want %q in it", err, want)
				}
			}
		})
	}
}

// A subkey that its owner made for something else does not sign files.
func TestOtherPurpose(t *testing.T) {
	t.Parallel()
	e := newEntity(t, packet.Config{}, born)
	testenv.Must(t, e.AddSigningSubkey(&packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return born }}))
	sub := &e.Subkeys[1]
	sig := makeSignature(t, sub.PrivateKey, text, nil)
	if _, err := keyring(t, public(t, e)).checkAt(text, sig, later); err != nil {
		t.Fatal(err)
	}
	binding := sub.Bindings[0].Packet
	binding.FlagSign, binding.FlagAuthenticate = false, true
	testenv.Must(t, binding.SignKey(sub.PublicKey, e.PrivateKey, &packet.Config{Time: func() time.Time { return born }}))
	_, err := keyring(t, public(t, e)).checkAt(text, sig, later)
	if err == nil || !strings.Contains(err.Error(), "subkey "+fingerprint(sub.PublicKey)) || !strings.Contains(err.Error(), "is not for signing files") {
		t.Errorf("got error %v", err)
	}
}

// Keys come armored or binary, several in one file, with a renewed copy beside an old
// one; one good signature among several is enough.
func TestAccepted(t *testing.T) {
	t.Parallel()
	key := newEntity(t, packet.Config{}, born)
	other := newEntity(t, packet.Config{}, born)
	brief := newEntity(t, packet.Config{KeyLifetimeSecs: 60 * 60 * 24 * 40}, born)
	expired := public(t, brief)
	for _, id := range brief.Identities { // renewed as gpg does it: the old self-signature is gone
		self := id.SelfCertifications[0].Packet
		self.KeyLifetimeSecs, self.CreationTime = nil, signed.AddDate(0, 0, 7)
		testenv.Must(t, self.SignUserId(id.Name, brief.PrimaryKey, brief.PrivateKey, &packet.Config{Time: func() time.Time { return self.CreationTime }}))
	}
	renewed := public(t, brief)
	good := makeSignature(t, key.PrivateKey, text, nil)
	old := makeSignature(t, brief.PrivateKey, text, nil)
	both := append(armored(t, openpgp.PublicKeyType, public(t, other)), armored(t, openpgp.PublicKeyType, public(t, key))...)
	for _, test := range []struct {
		name      string
		keys, sig []byte
		by        *openpgp.Entity
	}{
		{"binary", public(t, key), good, key},
		{"armored", armored(t, openpgp.PublicKeyType, public(t, key)), armored(t, openpgp.SignatureType, good), key},
		{"several blocks", both, good, key},
		{"several keys", append(public(t, other), public(t, key)...), good, key},
		{"renewed", renewed, old, brief},
		{"old and renewed", append(expired, renewed...), old, brief},
		{"two signatures", public(t, key), append(bytes.Clone(old), good...), key},
		{"secret key", secret(t, key), good, key},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := keyring(t, test.keys).checkAt(text, test.sig, later)
			testenv.Must(t, err)
			want := Signature{Key: fingerprint(test.by.PrimaryKey), Owner: "Release <release@example.org>", Time: signed}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeyringErrors(t *testing.T) {
	t.Parallel()
	key := newEntity(t, packet.Config{}, born)
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", []byte(" \n"), "it is empty"},
		{"text", []byte("hello"), "got 5 bytes of something else"},
		{"keybox", []byte("\x00\x00\x00\x20\x01\x01\x00\x02KBXf\x00"), "gpg --export KEY"},
		{"cut", armored(t, openpgp.PublicKeyType, public(t, key))[:200], "cut short"},
		{"signature", armored(t, openpgp.SignatureType, makeSignature(t, key.PrivateKey, text, nil)), "got a block of type \"PGP SIGNATURE\""},
		{"minisign", []byte("untrusted comment: x\nRWQ\n"), "want the public key that minisign -G writes"},
	} {
		if _, err := ParseKeyring("k", test.data); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it", test.name, err, test.want)
		}
	}
}

// Rust's own key is in x, and good.
func TestUpstreamKey(t *testing.T) {
	t.Parallel()
	k, err := ReadKeyring(UpstreamKeyring)
	testenv.Must(t, err)
	if diff := cmp.Diff([]string{`108F66205EAEB0AAA8DD5E1C85AB96E6FA1BE5FE ("Rust Language (Tag and Release Signing Key) <rust-key@rust-lang.org>")`}, k.keys()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e := k.entities[0]
	for _, h := range []holder{{entity: e}, {e, &e.Subkeys[1]}} {
		if err := h.valid(later); err != nil {
			t.Error(err)
		}
	}
}

// Keys sign as their files say: which subkey, and with which passphrase.
func TestKey(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	at := func(when time.Time) *packet.Config {
		return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return when }}
	}
	plain := newEntity(t, packet.Config{}, born)
	locked := newEntity(t, packet.Config{}, born)
	testenv.Must(t, locked.EncryptPrivateKeys([]byte("open"), nil))
	withSub := newEntity(t, packet.Config{}, born)
	testenv.Must(t, withSub.AddSigningSubkey(at(born)))
	testenv.Must(t, withSub.AddSigningSubkey(at(born.AddDate(0, 0, 1))))
	expired := newEntity(t, packet.Config{KeyLifetimeSecs: 60}, born)
	word := func(s string) Passphrase { return func() ([]byte, error) { return []byte(s), nil } }
	for _, test := range []struct {
		name string
		data []byte
		pass Passphrase
		by   *packet.PublicKey
		want string // error
	}{
		{"plain", secret(t, plain), nil, plain.PrimaryKey, ""},
		{"armored", armored(t, openpgp.PrivateKeyType, secret(t, plain)), nil, plain.PrimaryKey, ""},
		{"locked", secret(t, locked), word("open"), locked.PrimaryKey, ""},
		{"no passphrase", secret(t, locked), nil, nil, "it is protected"},
		{"wrong passphrase", secret(t, locked), word("shut"), nil, "is the passphrase right?"},
		{"newest subkey", secret(t, withSub), nil, withSub.Subkeys[2].PublicKey, ""},
		{"expired", secret(t, expired), nil, nil, "has expired"},
		{"public", public(t, plain), nil, nil, "it is a public key"},
		{"two", append(secret(t, plain), secret(t, locked)...), nil, nil, "it holds 2 secret keys"},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, err := ParseKey("k", test.data, test.pass)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("got error %v, want %q in it", err, test.want)
				}
				return
			}
			testenv.Must(t, err)
			m := Message{"a", text, later.Add(time.Millisecond)}
			first, made, err := MakeSignature(ctx, key, m)
			testenv.Must(t, err)
			if want := fingerprint(test.by); made.Key != want || !made.Time.Equal(later) {
				t.Errorf("got %+v, want key %s and time %v", made, want, later)
			}
			if again, _, err := MakeSignature(ctx, key, m); err != nil || !bytes.Equal(first, again) {
				t.Errorf("the same message has another signature: %v", err)
			}
			if _, _, err := MakeSignature(ctx, key, Message{"a", text, born.AddDate(-1, 0, 0)}); err == nil || !strings.Contains(err.Error(), "set SOURCE_DATE_EPOCH") {
				t.Errorf("a time before the key: got error %v", err)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "sh")
	key := newEntity(t, packet.Config{}, born)
	dir := t.TempDir()
	for name, sig := range map[string][]byte{"good": makeSignature(t, key.PrivateKey, text, nil), "other": makeSignature(t, key.PrivateKey, []byte("x"), nil)} {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, name), sig, 0o644))
		testenv.Must(t, os.WriteFile(filepath.Join(dir, name+".asc"), armored(t, openpgp.SignatureType, sig), 0o644))
	}
	for _, test := range []struct{ script, want string }{
		{"test \"$(cat)\" = 'manifest-version = \"2\"' && cat good", ""},
		{"cat good.asc", ""}, // without reading
		{"cat >/dev/null; cat other", "did not sign this"},
		{"cat other good", ""},
		{"echo no card >&2; exit 3", `running "sh": exit status 3`},
		{"echo hello", "want a detached OpenPGP signature"},
		{"true", "it is empty"},
		{"head -c 100000 /dev/zero", "printed more than 64 KiB"},
	} {
		var said bytes.Buffer
		c := &Command{Args: []string{"sh", "-c", test.script}, Dir: dir, Stderr: &said, Public: keyring(t, public(t, key))}
		sig, _, err := MakeSignature(t.Context(), c, Message{"a", text, later})
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got error %v, want %q in it", test.script, err, test.want)
			}
		} else if err != nil || strings.Contains(string(sig), "stranger") {
			t.Errorf("%s: got %q, %v", test.script, sig, err)
		}
	}
}

func run(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GNUPGHOME="+dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// gpgv and minisign accept what x signs, and refuse it after one changed byte.
func TestAcceptedByOthers(t *testing.T) {
	t.Parallel()
	gpgv := testenv.Need(t, "gpgv")
	for _, algorithm := range []packet.PublicKeyAlgorithm{packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoRSA} {
		e := newEntity(t, packet.Config{Algorithm: algorithm}, born)
		key, err := ParseKey("k", secret(t, e), nil)
		testenv.Must(t, err)
		judged(t, key, OpenPGPExt, public(t, e), func(dir string) (string, error) {
			return run(t, dir, gpgv, "--keyring", "./key", "file.asc", "file")
		})
	}
	program := testenv.Need(t, "minisign")
	_, private, err := minisign.GenerateKey(nil)
	testenv.Must(t, err)
	data, err := private.MarshalText()
	testenv.Must(t, err)
	key, err := ParseMinisignKey("k", data, nil)
	testenv.Must(t, err)
	pub, err := key.keyring.minisign[0].MarshalText()
	testenv.Must(t, err)
	judged(t, key, MinisignExt, pub, func(dir string) (string, error) {
		return run(t, dir, program, "-Vm", "file", "-p", "key")
	})
}

func judged(t *testing.T, s Signer, ext string, public []byte, judge func(dir string) (string, error)) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) { testenv.Must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600)) }
	sig, _, err := MakeSignature(t.Context(), s, Message{"file", text, later})
	testenv.Must(t, err)
	if got := s.Keyring().Ext(); got != ext {
		t.Errorf("got signatures called %q, want %q", got, ext)
	}
	write("key", public)
	write("file", text)
	write("file"+ext, sig)
	if out, err := judge(dir); err != nil {
		t.Errorf("refused: %v\n%s", err, out)
	}
	write("file", bytes.Replace(text, []byte("2"), []byte("3"), 1))
	if out, err := judge(dir); err == nil {
		t.Errorf("a changed byte is accepted:\n%s", out)
	}
	if _, err := s.Keyring().Check(bytes.Replace(text, []byte("2"), []byte("3"), 1), sig); err == nil {
		t.Error("a changed byte is accepted by x")
	}
}

// x accepts what gpg and minisign sign, and signs with their keys.
func TestKeysOfOthers(t *testing.T) {
	t.Parallel()
	gpg := testenv.Need(t, "gpg")
	dir, err := os.MkdirTemp("/tmp", "x-gpg") // the socket of the agent needs a short name
	testenv.Must(t, err)
	t.Cleanup(func() {
		_, _ = run(t, dir, "gpgconf", "--kill", "gpg-agent")
		os.RemoveAll(dir)
	})
	must := func(args ...string) {
		t.Helper()
		if out, err := run(t, dir, args...); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	gpgDo := func(args ...string) {
		t.Helper()
		must(append([]string{gpg, "--batch", "--pinentry-mode", "loopback", "--passphrase", "open"}, args...)...)
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "file"), text, 0o600))
	gpgDo("--quick-gen-key", "me@example.org", "ed25519", "sign", "1y")
	gpgDo("--armor", "--output", "file.asc", "--detach-sign", "file")
	gpgDo("--output", "file.sig", "--detach-sign", "file")
	gpgDo("--output", "public", "--export")
	gpgDo("--output", "secret", "--export-secret-keys")
	k, err := ReadKeyring(filepath.Join(dir, "public"))
	testenv.Must(t, err)
	for _, name := range []string{"file.asc", "file.sig"} {
		sig, err := os.ReadFile(filepath.Join(dir, name))
		testenv.Must(t, err)
		if _, err := k.Check(text, sig); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "secret"))
	testenv.Must(t, err)
	key, err := ParseKey("k", data, func() ([]byte, error) { return []byte("open"), nil })
	testenv.Must(t, err)
	sig, _, err := MakeSignature(t.Context(), key, Message{"file", text, time.Now()})
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "ours"), sig, 0o600))
	must(gpg, "--verify", "ours", "file")

	must(testenv.Need(t, "minisign"), "-GW", "-p", "mini.pub", "-s", "mini.key")
	must("minisign", "-Sm", "file", "-s", "mini.key")
	must("minisign", "-Sm", "file", "-l", "-x", "legacy", "-s", "mini.key")
	k, err = ReadKeyring(filepath.Join(dir, "mini.pub"))
	testenv.Must(t, err)
	for _, name := range []string{"file.minisig", "legacy"} {
		sig, err = os.ReadFile(filepath.Join(dir, name))
		testenv.Must(t, err)
		if _, err := k.Check(text, sig); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	data, err = os.ReadFile(filepath.Join(dir, "mini.key"))
	testenv.Must(t, err)
	mini, err := ParseMinisignKey("k", data, nil)
	testenv.Must(t, err)
	if sig, _, err = MakeSignature(t.Context(), mini, Message{"file", text, later}); err != nil {
		t.Fatal(err)
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "file.minisig"), sig, 0o600))
	must("minisign", "-Vm", "file", "-p", "mini.pub")
}

// minisign 0.11 has written this key and its public half, with the passphrase "word":
//
//	printf 'word\nword\n' | minisign -G -p a.pub -s a.key
const (
	lockedMinisign = `untrusted comment: minisign encrypted secret key
RWRTY0IyDfzbQSeZNckpgy9cv/oJd7QHjYo6Vmg+DNmzoeiOIY0AAAACAAAAAAAAAEAAAAAA+truAE60RDhyoIZ4isA+ZTwSNZWG6xnEpp8/hSDJB/IylNIlFrbhBmFduwIz4UcOika8r9XSNaDbdRkvGmXc2Ip40X8xyxwyk1fJFQcutYUL8dWISlAFCUanT7LvHf3xTH+wRm2BUoo=
`
	lockedPublic = `untrusted comment: minisign public key 429EA25F1D036856
RWRWaAMdX6KeQuYehNGcAXlFyaPr9rzjLIoJ0RjyO8WHEoIWZRbwiOXo
`
)

// A key of minisign that has a passphrase signs what its public half checks.
func TestLockedMinisignKey(t *testing.T) {
	t.Parallel()
	testenv.Long(t, "unlocking a key of minisign takes a gigabyte of memory")
	if _, err := ParseMinisignKey("k", []byte(lockedMinisign), func() ([]byte, error) { return nil, errors.New("nobody is there") }); err == nil || !strings.Contains(err.Error(), "nobody is there") {
		t.Errorf("without a passphrase: got %v", err)
	}
	key, err := ParseMinisignKey("k", []byte(lockedMinisign), func() ([]byte, error) { return []byte("word"), nil })
	testenv.Must(t, err)
	sig, _, err := MakeSignature(t.Context(), key, Message{"file", text, later})
	testenv.Must(t, err)
	ring, err := ParseKeyring("a.pub", []byte(lockedPublic))
	testenv.Must(t, err)
	if _, err := ring.Check(text, sig); err != nil {
		t.Error(err)
	}
}

// FuzzCheck gives signatures and keys of strangers to a keyring: it never panics, and
// accepts only what was signed.
func FuzzCheck(f *testing.F) {
	key := newEntity(f, packet.Config{}, born)
	good := makeSignature(f, key.PrivateKey, text, nil)
	f.Add(good, text)
	f.Add(armored(f, openpgp.SignatureType, good), text)
	f.Add([]byte("untrusted comment: x\nRWQ\ntrusted comment: x\nx\n"), text)
	k := keyring(f, public(f, key))
	f.Fuzz(func(t *testing.T, sig, data []byte) {
		if _, err := k.checkAt(data, sig, later); err == nil && !bytes.Equal(data, text) {
			t.Errorf("accepted a signature of something else: %q", data)
		}
	})
}

func FuzzParseKeyring(f *testing.F) {
	key := newEntity(f, packet.Config{}, born)
	f.Add(public(f, key))
	f.Add(armored(f, openpgp.PublicKeyType, public(f, key)))
	f.Add([]byte("untrusted comment: x\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n"))
	good := makeSignature(f, key.PrivateKey, text, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := ParseKeyring("k", data); err == nil {
			_, _ = k.checkAt(text, good, later)
			_ = k.keys()
		}
	})
}
