package sign

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"x.go/dist"
)

// policy is what go-crypto lets pass. It refuses MD5, RSA keys below 2047 bits, DSA
// and ElGamal.
var policy = &packet.Config{}

// hashes are what a signature may be over. SHA-1 and MD5 are not among them: whoever
// chooses two files can give them one digest.
var hashes = []crypto.Hash{crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_512}

// Check requires a detached signature over data to be that of a key of the keyring,
// which must be good today: neither expired nor revoked, and allowed to sign. Of
// several signatures, as there are while one key replaces another, one such is enough.
// The error names the key. Where today's clock is wrong, so is the answer.
func (k *Keyring) Check(data, signature []byte) (Signature, error) {
	return k.checkAt(data, signature, time.Now())
}

func (k *Keyring) checkAt(data, signature []byte, now time.Time) (Signature, error) {
	s, err := k.check(data, signature, now)
	if err != nil {
		return Signature{}, fmt.Errorf("checking the signature: %w", err)
	}
	return s, nil
}

func (k *Keyring) check(data, signature []byte, now time.Time) (Signature, error) {
	if len(signature) > MaxSignature {
		return Signature{}, fmt.Errorf("more than %s", dist.FormatBytes(MaxSignature))
	}
	if len(k.minisign) > 0 {
		return k.checkMinisign(data, signature)
	}
	sigs, err := parseSignatures(signature)
	if err != nil {
		return Signature{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, sig := range sigs {
		s, err := k.judge(sig, data, now)
		if err == nil {
			return s, nil
		}
		errs = append(errs, err)
	}
	return Signature{}, errors.Join(errs...)
}

// maxSignatures is how many signatures one file may have: each costs a pass over what
// is signed.
const maxSignatures = 16

// parseSignatures reads detached signatures, armored or binary, and accepts nothing
// beside them.
func parseSignatures(data []byte) ([]*packet.Signature, error) {
	raw, err := dearmor(data)
	if err != nil {
		return nil, err
	}
	var sigs []*packet.Signature
	for r := bytes.NewReader(raw); ; {
		p, err := packet.Read(r)
		if errors.Is(err, io.EOF) && r.Len() == 0 && p == nil {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("it is damaged, or of a kind that is not known: %w", err)
		}
		sig, ok := p.(*packet.Signature)
		if !ok {
			return nil, errors.New("it holds more than signatures, such as the signed text: want a detached signature, as `gpg --detach-sign` writes it")
		}
		if sigs = append(sigs, sig); len(sigs) > maxSignatures {
			return nil, fmt.Errorf("more than %d signatures", maxSignatures)
		}
	}
	if len(sigs) == 0 {
		return nil, errors.New("it holds no signature")
	}
	return sigs, nil
}

// holder is a key of a keyring: a primary key, or one of its subkeys.
type holder struct {
	entity *openpgp.Entity
	sub    *openpgp.Subkey // nil for the primary key
}

func (h holder) public() *packet.PublicKey {
	if h.sub != nil {
		return h.sub.PublicKey
	}
	return h.entity.PrimaryKey
}

// String names the key for people.
func (h holder) String() string {
	if h.sub != nil {
		return fmt.Sprintf("subkey %s of key %s", fingerprint(h.sub.PublicKey), named(h.entity))
	}
	return "key " + named(h.entity)
}

func fingerprint(p *packet.PublicKey) string {
	return strings.ToUpper(fmt.Sprintf("%x", p.Fingerprint))
}

// issuer names the key that a signature says it is from.
func issuer(sig *packet.Signature) string {
	switch {
	case len(sig.IssuerFingerprint) > 0:
		return strings.ToUpper(fmt.Sprintf("%x", sig.IssuerFingerprint))
	case sig.IssuerKeyId != nil:
		return fmt.Sprintf("%016X", *sig.IssuerKeyId)
	}
	return "unknown"
}

// holders returns the keys that a signature may be from.
func (k *Keyring) holders(sig *packet.Signature) []holder {
	var out []holder
	add := func(h holder) {
		p := h.public()
		if len(sig.IssuerFingerprint) > 0 && !bytes.Equal(sig.IssuerFingerprint, p.Fingerprint) {
			return
		}
		if sig.IssuerKeyId != nil && *sig.IssuerKeyId != p.KeyId || len(sig.IssuerFingerprint) == 0 && sig.IssuerKeyId == nil {
			return
		}
		out = append(out, h)
	}
	for _, e := range k.entities {
		add(holder{entity: e})
		for i := range e.Subkeys {
			add(holder{e, &e.Subkeys[i]})
		}
	}
	return out
}

// judge decides about one signature.
func (k *Keyring) judge(sig *packet.Signature, data []byte, now time.Time) (Signature, error) {
	holders := k.holders(sig)
	if len(holders) == 0 {
		return Signature{}, fmt.Errorf("it is by key %s, which %q does not hold: that has %s", issuer(sig), k.name, strings.Join(k.keys(), ", "))
	}
	// A keyring may hold a key twice, of two dates: the renewed one counts. But if any
	// knows that it was revoked, it is.
	for _, h := range holders {
		if h.revoked(now) {
			return Signature{}, fmt.Errorf("%s is revoked: its owner does not stand for it any more", h)
		}
	}
	var errs []error
	for _, h := range holders {
		err := h.verify(sig, data)
		if err == nil {
			err = h.sound(sig, now)
		}
		if err == nil {
			return Signature{Key: fingerprint(h.public()), Owner: owner(h.entity), Time: sig.CreationTime.UTC()}, nil
		}
		if text := err.Error(); !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == text }) {
			errs = append(errs, err)
		}
	}
	return Signature{}, errors.Join(errs...)
}

func (h holder) revoked(now time.Time) bool {
	if h.entity.Revoked(now) {
		return true
	}
	return h.sub != nil && h.sub.Revoked(nil, now)
}

// verify compares the signature with the data.
func (h holder) verify(sig *packet.Signature, data []byte) error {
	if sig.SigType != packet.SigTypeBinary {
		return fmt.Errorf("%s signed a text, whose line ends may change, or something else (type %#02x): want a signature over the bytes of the file", h, byte(sig.SigType))
	}
	if !slices.Contains(hashes, sig.Hash) {
		return fmt.Errorf("%s signed a digest that can be forged (%s): want SHA-256 or better", h, sig.Hash)
	}
	digest, err := sig.PrepareVerify()
	if err != nil {
		return fmt.Errorf("by %s: %w", h, err)
	}
	digest.Write(data)
	if err := h.public().VerifySignature(digest, sig); err != nil {
		return fmt.Errorf("%s did not sign this: the file or its signature was changed, or they do not belong together (%w)", h, err)
	}
	return nil
}

// sound requires a signature that is authentic to count today. Self-signatures count
// as they are now: gpg replaces them when a key is renewed, and those that it replaces
// may be older than the signature.
func (h holder) sound(sig *packet.Signature, now time.Time) error {
	made := h.public().CreationTime
	switch {
	case sig.CreationTime.After(now):
		return fmt.Errorf("%s signed on %s, which is in the future: is the clock right?", h, day(sig.CreationTime))
	case sig.CreationTime.Before(made):
		return fmt.Errorf("%s signed on %s, before it was made on %s", h, day(sig.CreationTime), day(made))
	case sig.SigExpired(now):
		return fmt.Errorf("the signature by %s of %s has expired", h, day(sig.CreationTime))
	}
	for _, n := range sig.Notations {
		if n.IsCritical {
			return fmt.Errorf("%s signed with a condition that is not known: %.100q", h, n.Name)
		}
	}
	return h.valid(now)
}

// valid requires the key to be good at a time.
func (h holder) valid(now time.Time) error {
	_, err := h.entity.VerifyPrimaryKey(now, policy)
	if err == nil && h.sub != nil {
		_, err = h.sub.Verify(now, policy)
	}
	switch {
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return fmt.Errorf("%s is revoked: its owner does not stand for it any more", h)
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return fmt.Errorf("%s has expired: get the renewed key from its owner", h)
	case err != nil:
		return fmt.Errorf("%s is not confirmed by a signature of its owner that counts on %s: %w", h, day(now), err)
	case h.weak():
		return fmt.Errorf("%s is too weak: want RSA of 2048 bits or more, or an elliptic curve", h)
	}
	if key, ok := h.entity.SigningKeyById(now, h.public().KeyId, policy); !ok || key.PublicKey != h.public() {
		return fmt.Errorf("%s is not for signing files: its owner made it for something else", h)
	}
	return nil
}

// weak reports whether signatures by the key, or by its primary key, can be forged.
func (h holder) weak() bool {
	for _, p := range []*packet.PublicKey{h.entity.PrimaryKey, h.public()} {
		if policy.RejectPublicKeyAlgorithm(p.PubKeyAlgo) {
			return true
		}
		if p.PubKeyAlgo == packet.PubKeyAlgoRSA || p.PubKeyAlgo == packet.PubKeyAlgoRSASignOnly {
			if bits, err := p.BitLength(); err != nil || bits < policy.MinimumRSABits() {
				return true
			}
		}
	}
	return false
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
