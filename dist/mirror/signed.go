package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"x.go/dist/sign"
	"x.go/manifests"
)

// proof is a signature that was checked.
type proof struct {
	sign.Signature
	of   manifests.Hash // what it is over
	data []byte         // of its file
}

// authentic requires a manifest of the source to have a signature of the keyring, if
// there is one, and remembers it.
func (m *mirror) authentic(ctx context.Context, name string, data []byte) error {
	if m.Keyring == nil {
		return nil
	}
	at := name + m.Keyring.Ext()
	text, err := m.up.fetch(ctx, at, sign.MaxSignature)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not signed: %w", name, err)
	}
	if err != nil {
		return err
	}
	s, err := m.Keyring.Check(data, text)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	m.proofs[name] = proof{s, manifests.HashOf(data), text}
	return nil
}

// moveSignatures writes the signatures of a manifest of the mirror, which are those that
// the source has for the same bytes. What was there for others goes.
func (m *mirror) moveSignatures(ctx context.Context, r *release, name string) error {
	from := r.source
	if r.alike[name] {
		from = name
	}
	for _, ext := range []string{sign.OpenPGPExt, sign.MinisignExt} {
		var data []byte
		if r.whole {
			var err error
			if data, err = m.signature(ctx, r, from, ext); err != nil {
				return err
			}
		}
		if data != nil {
			if err := m.writeChanged(ctx, name+ext, data); err != nil {
				return err
			}
		} else if err := m.deleteOld(ctx, name+ext); err != nil {
			return err
		}
	}
	return nil
}

// signature returns the signature of a manifest of the source: that which was checked,
// if one was. It is nil if there is none.
func (m *mirror) signature(ctx context.Context, r *release, name, ext string) ([]byte, error) {
	if m.Keyring != nil && m.Keyring.Ext() == ext {
		s, ok := m.proofs[name]
		if !ok || s.of != r.original {
			return nil, fmt.Errorf("%s has changed at the source meanwhile: run it again", name)
		}
		return s.data, nil
	}
	return readOptional(ctx, m.up, name+ext)
}

// checkSignatures requires a file of a store to have a signature of each keyring, and
// reports whether there are some and all are right.
func (v *verifier) checkSignatures(ctx context.Context, name string, data []byte) (right bool) {
	right = len(v.Keyrings) > 0
	for _, ring := range v.Keyrings {
		at := name + ring.Ext()
		text, _, err := v.store.Load(ctx, at, sign.MaxSignature)
		if err == nil {
			v.checked[at] = true
			_, err = ring.Check(data, text)
		}
		if err != nil {
			v.problem("signature", at, "%v", err)
			right = false
		}
	}
	return right
}
