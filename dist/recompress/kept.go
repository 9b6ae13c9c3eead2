package recompress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"x.go/dist/store"
	"x.go/manifests"
)

// kept are outputs in a store, by key. Beside each there is its digest, KEY.sha256,
// which comes first: what has its key has its digest, too. KEY.proven has the same digest
// if somebody has decoded the output, and found the tar stream of its key.
type kept struct{ store *store.Store }

// damageError says that a kept output is not what was put.
type damageError struct {
	Key string // in the store; empty for an archive made of several
	Err error
}

// Error says what is damaged.
func (e *damageError) Error() string {
	return fmt.Sprintf("kept output %q is damaged: %v", e.Key, e.Err)
}

// Unwrap returns what is wrong.
func (e *damageError) Unwrap() error { return e.Err }

// look reports whether an output is there. It asks the store once. The content is only
// read if the store has noted no digest with it, as a directory has not, or if check is
// set; what is wrong with it is a [*damageError].
func (k kept) look(ctx context.Context, key string, check bool) (bool, error) {
	a, err := k.store.Stat(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !a.Hash.IsZero() && !check {
		return err == nil, err
	}
	want, err := k.digest(ctx, key)
	if err != nil {
		return false, err
	}
	got, err := k.store.Hash(ctx, key)
	if err == nil && got != want {
		err = &damageError{key, fmt.Errorf("got sha256 %s, want %s", got, want)}
	}
	return err == nil, err
}

// digest returns the digest that was put with an output.
func (k kept) digest(ctx context.Context, key string) (manifests.Hash, error) {
	return k.note(ctx, key, manifests.ChecksumExt)
}

// note returns the digest in a note beside an output.
func (k kept) note(ctx context.Context, key, ext string) (manifests.Hash, error) {
	const limit = 1 << 10
	data, _, err := k.store.Load(ctx, key+ext, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return manifests.Hash{}, &damageError{key, errors.New("its digest is missing")}
	}
	if err != nil {
		return manifests.Hash{}, err
	}
	h, name, err := manifests.ParseChecksum(data)
	if err != nil || name != path.Base(key) {
		return h, &damageError{key, errors.Join(errors.New("its digest cannot be read"), err)}
	}
	return h, nil
}

// setNote puts a digest beside an output.
func (k kept) setNote(ctx context.Context, key, ext string, h manifests.Hash) error {
	return k.store.Put(ctx, key+ext, store.Bytes(manifests.FormatChecksum(h, path.Base(key))), store.Options{})
}

const provenExt = ".proven"

// isProven reports whether the output of a digest was decoded before.
func (k kept) isProven(ctx context.Context, key string, h manifests.Hash) (bool, error) {
	got, err := k.note(ctx, key, provenExt)
	if d := (*damageError)(nil); errors.As(err, &d) {
		return false, nil
	}
	return got == h, err
}

// keep puts an output under its key, unless the same is there: another copy of the task
// may have come first. replace puts it in any case. Something else that is there is
// replaced, and returned as damage.
func (k kept) keep(ctx context.Context, key string, body store.Body, replace bool) (damage, err error) {
	h, err := k.digest(ctx, key)
	if d := (*damageError)(nil); err != nil && !errors.As(err, &d) {
		return nil, err
	}
	if err != nil || h != body.Hash {
		if err := k.setNote(ctx, key, manifests.ChecksumExt, body.Hash); err != nil {
			return nil, err
		}
	}
	err = k.store.Put(ctx, key, body, store.Options{IfAbsent: !replace})
	if !errors.Is(err, store.ErrExists) {
		return nil, err
	}
	_, damage = k.look(ctx, key, true)
	if d := (*damageError)(nil); !errors.As(damage, &d) {
		return nil, damage
	}
	return damage, k.store.Put(ctx, key, body, store.Options{})
}

// fetch copies an output to w, and compares it with its digest.
func (k kept) fetch(ctx context.Context, key string, w io.Writer) (manifests.Hash, error) {
	want, err := k.digest(ctx, key)
	if err != nil {
		return want, err
	}
	r, _, err := k.store.Get(ctx, key, 0)
	if err != nil {
		return want, err
	}
	defer r.Close()
	got, err := copyHashed(ctx, w, r)
	if err == nil && got != want {
		err = &damageError{key, fmt.Errorf("got sha256 %s, want %s", got, want)}
	}
	return want, err
}

// remove removes an output, so that the next run of its task makes it again.
func (k kept) remove(ctx context.Context, key string) error {
	return errors.Join(k.store.Delete(ctx, key), k.store.Delete(ctx, key+manifests.ChecksumExt), k.store.Delete(ctx, key+provenExt))
}
