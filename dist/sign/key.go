package sign

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Message is a file to sign.
type Message struct {
	Name string // of the file, without directory
	Data []byte
	Time time.Time // that the signature bears, to the second
}

// Signer makes detached signatures.
type Signer interface {
	// Sign returns the content of the signature file.
	Sign(ctx context.Context, m Message) ([]byte, error)
	// Keyring checks the signatures.
	Keyring() *Keyring
}

// MakeSignature signs, and checks the signature as its readers will. What they would
// refuse is an error.
func MakeSignature(ctx context.Context, s Signer, m Message) ([]byte, Signature, error) {
	m.Time = m.Time.Truncate(time.Second)
	text, err := s.Sign(ctx, m)
	if err != nil {
		return nil, Signature{}, fmt.Errorf("signing %q: %w", m.Name, err)
	}
	made, err := s.Keyring().Check(m.Data, text)
	if err != nil {
		return nil, Signature{}, fmt.Errorf("signing %q: %w", m.Name, err)
	}
	return text, made, nil
}

// Passphrase is asked for what unlocks a key; nil says that there is none.
type Passphrase func() ([]byte, error)

func (p Passphrase) ask() ([]byte, error) {
	if p == nil {
		return nil, errors.New("it is protected: give the file with its passphrase, too")
	}
	return p()
}

// Key is a secret OpenPGP key.
type Key struct {
	name    string
	holder  holder
	private *packet.PrivateKey
}

// ParseKey reads a secret OpenPGP key, armored or binary, as `gpg --export-secret-keys`
// or `gpg --export-secret-subkeys` writes it. Passphrase is asked for only if the key has
// one. Of its subkeys that may sign, the newest signs, as with gpg, or else the primary
// key.
func ParseKey(name string, data []byte, passphrase Passphrase) (*Key, error) {
	k := &Key{name: name}
	if err := k.parse(data, passphrase); err != nil {
		return nil, fmt.Errorf("reading key %q: %w", name, err)
	}
	return k, nil
}

func (k *Key) parse(data []byte, passphrase Passphrase) error {
	entities, err := parseEntities(data)
	if err != nil {
		return err
	}
	entities = slices.DeleteFunc(entities, func(e *openpgp.Entity) bool { return e.PrivateKey == nil })
	switch {
	case len(entities) == 0:
		return errors.New("it is a public key: `gpg --export-secret-keys KEY` writes the secret one")
	case len(entities) > 1:
		return fmt.Errorf("it holds %d secret keys: want one", len(entities))
	}
	if k.holder, k.private, err = signing(entities[0], time.Now()); err != nil {
		return err
	}
	if !k.private.Encrypted {
		return nil
	}
	secret, err := passphrase.ask()
	if err != nil {
		return err
	}
	if err := k.private.Decrypt(secret); err != nil {
		return fmt.Errorf("%s cannot be unlocked: is the passphrase right?", k.holder)
	}
	return nil
}

// signing chooses which of a key and its subkeys signs.
func signing(e *openpgp.Entity, now time.Time) (holder, *packet.PrivateKey, error) {
	keys := []holder{}
	for i := range e.Subkeys {
		keys = append(keys, holder{e, &e.Subkeys[i]})
	}
	slices.SortStableFunc(keys, func(a, b holder) int { return b.public().CreationTime.Compare(a.public().CreationTime) })
	keys = append(keys, holder{entity: e})
	var errs []error
	for _, h := range keys {
		private := e.PrivateKey
		if h.sub != nil {
			private = h.sub.PrivateKey
		}
		err := h.valid(now)
		switch {
		case err == nil && private != nil && !private.Dummy():
			return h, private, nil
		case err == nil:
			err = fmt.Errorf("the secret part of %s is not in the file", h)
		}
		errs = append(errs, err)
	}
	return holder{}, nil, errors.Join(errs...)
}

// Keyring implements [Signer].
func (k *Key) Keyring() *Keyring {
	return &Keyring{name: k.name, entities: []*openpgp.Entity{k.holder.entity}}
}

// Sign implements [Signer] with an armored signature over SHA-512. Equal messages give
// equal signatures with a key of RSA, Ed25519 or Ed448 of version 4.
func (k *Key) Sign(_ context.Context, m Message) ([]byte, error) {
	pub := &k.private.PublicKey
	if m.Time.Before(pub.CreationTime) {
		return nil, fmt.Errorf("%s was made on %s, and cannot have signed on %s: set SOURCE_DATE_EPOCH to a later time, or sign without it",
			k.holder, pub.CreationTime.UTC().Format(time.RFC3339), m.Time.UTC().Format(time.RFC3339))
	}
	fixed := &packet.Config{
		Time:                                  func() time.Time { return m.Time },
		NonDeterministicSignaturesViaNotation: packet.BoolPointer(false),
	}
	sig := &packet.Signature{
		Version: pub.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: pub.PubKeyAlgo, Hash: crypto.SHA512,
		CreationTime: m.Time, IssuerKeyId: &pub.KeyId, IssuerFingerprint: pub.Fingerprint,
	}
	digest, err := sig.PrepareSign(fixed)
	if err != nil {
		return nil, err
	}
	digest.Write(m.Data)
	if err := sig.Sign(digest, k.private, fixed); err != nil {
		return nil, fmt.Errorf("with %s: %w", k.holder, err)
	}
	var out bytes.Buffer
	if err := sig.Serialize(&out); err != nil {
		return nil, err
	}
	return encode(out.Bytes())
}
