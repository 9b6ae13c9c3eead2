package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"aead.dev/minisign"
)

// minisignID writes the identifier of a key as minisign does.
func minisignID(id uint64) string { return fmt.Sprintf("%016X", id) }

// checkMinisign checks a signature of minisign.
func (k *Keyring) checkMinisign(data, signature []byte) (Signature, error) {
	var sig minisign.Signature
	if err := sig.UnmarshalText(signature); err != nil {
		return Signature{}, fmt.Errorf("want a signature of minisign: %w", err)
	}
	for _, pub := range k.minisign {
		if pub.ID() != sig.KeyID {
			continue
		}
		if !minisign.Verify(pub, data, signature) {
			return Signature{}, fmt.Errorf("key %s did not sign this: the file or its signature was changed, or they do not belong together", minisignID(sig.KeyID))
		}
		return Signature{Key: minisignID(sig.KeyID), Time: timestamp(sig.TrustedComment)}, nil
	}
	return Signature{}, fmt.Errorf("it is by key %s, which %q does not hold: that has %s", minisignID(sig.KeyID), k.name, strings.Join(k.keys(), ", "))
}

// timestamp is the time in a comment of minisign, zero if it has none.
func timestamp(comment string) time.Time {
	for word := range strings.FieldsSeq(comment) {
		if digits, ok := strings.CutPrefix(word, "timestamp:"); ok {
			if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
				return time.Unix(n, 0).UTC()
			}
		}
	}
	return time.Time{}
}

// MinisignKey is a secret key of minisign.
type MinisignKey struct {
	key     minisign.PrivateKey
	keyring *Keyring
}

// ParseMinisignKey reads the secret key that minisign -G writes. passphrase is asked
// for only if the key has one. Unlocking such a key takes 1 GiB of memory, by the
// design of minisign.
func ParseMinisignKey(name string, data []byte, passphrase Passphrase) (*MinisignKey, error) {
	fail := func(err error) (*MinisignKey, error) {
		return nil, fmt.Errorf("reading minisign key %q: %w", name, err)
	}
	var key minisign.PrivateKey
	if minisign.IsEncrypted(data) {
		secret, err := passphrase.ask()
		if err != nil {
			return fail(err)
		}
		if key, err = minisign.DecryptKey(string(secret), data); err != nil {
			return fail(errors.New("it cannot be unlocked: is the passphrase right?"))
		}
	} else if err := key.UnmarshalText(data); err != nil {
		return fail(fmt.Errorf("want the secret key that minisign -G writes: %w", err))
	}
	pub, ok := key.Public().(minisign.PublicKey)
	if !ok {
		return fail(errors.New("it has no public key"))
	}
	return &MinisignKey{key, &Keyring{name: name, minisign: []minisign.PublicKey{pub}}}, nil
}

// Keyring implements [Signer].
func (k *MinisignKey) Keyring() *Keyring { return k.keyring }

// Sign implements [Signer]. Equal messages give equal signatures.
func (k *MinisignKey) Sign(_ context.Context, m Message) ([]byte, error) {
	r := minisign.NewReader(bytes.NewReader(m.Data))
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, fmt.Errorf("signing %q: %w", m.Name, err)
	}
	trusted := fmt.Sprintf("timestamp:%d\tfile:%s\thashed", m.Time.Unix(), m.Name)
	return r.SignWithComments(k.key, trusted, "signature from minisign secret key"), nil
}
