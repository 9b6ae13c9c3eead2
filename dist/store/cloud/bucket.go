//go:build !nos3 || cloud

package cloud

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/url"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"x.go/dist"
	"x.go/dist/store"
	"x.go/manifests"
)

// hashKey is the key of the metadata that has the digest: an ETag is none of a file that
// was sent in parts.
const hashKey = "sha256"

// bucket is a store in a bucket.
type bucket struct {
	*blob.Bucket
	prefix string // of all names, which ends with a slash, or is empty
	kind   kind
}

// kind has what differs between the kinds of buckets.
type kind struct {
	// query are parameters of the URL that are set unless the place has them.
	query map[string]string
	// version is that of the object which is read.
	version func(r *blob.Reader) store.Version
	// ifVersion makes a write conditional on the version that is there.
	ifVersion func(v store.Version, as func(any) bool) error
	// beforeCopy and afterCopy have a copy get headers of its own. The key has the prefix.
	beforeCopy func(o store.Options, metadata map[string]string, as func(any) bool) error
	afterCopy  func(ctx context.Context, b *blob.Bucket, key string, o store.Options) error
	// explain says in few words what an error means that is not about a file; nil if it
	// does not know.
	explain func(err error) error
}

// opener returns what opens the buckets of a scheme.
func opener(k kind) func(context.Context, string) (store.Driver, error) {
	return func(ctx context.Context, place string) (store.Driver, error) {
		u, err := url.Parse(place)
		if err != nil {
			return nil, errors.New("it is no URL") // whose error would show all of it
		}
		if u.Host == "" || u.User != nil {
			return nil, errors.New("want SCHEME://BUCKET/PREFIX, without credentials")
		}
		prefix := strings.Trim(u.Path, "/")
		u.Path = ""
		query := u.Query()
		for key, value := range k.query {
			if !query.Has(key) {
				query.Set(key, value)
			}
		}
		u.RawQuery = query.Encode()
		b, err := blob.OpenBucket(ctx, u.String())
		if err != nil {
			return nil, withoutURL(err, place)
		}
		if prefix != "" {
			prefix += "/"
			b = blob.PrefixedBucket(b, prefix)
		}
		return &bucket{b, prefix, k}, nil
	}
}

// withoutURL returns err with what could be a secret of a URL taken out.
func withoutURL(err error, place string) error {
	return errors.New(manifests.Redact(strings.ReplaceAll(err.Error(), place, manifests.Redact(place))))
}

// found turns the errors of gocloud into those of package store.
func (b *bucket) found(err error, name string) error {
	if err == nil {
		return nil
	}
	code := gcerrors.Code(err)
	if code == gcerrors.Canceled || code == gcerrors.DeadlineExceeded {
		return errors.Join(context.Canceled, err)
	}
	if b.kind.explain != nil {
		if said := b.kind.explain(err); said != nil {
			return said
		}
	}
	if code == gcerrors.NotFound {
		return &store.AbsentError{Name: name}
	}
	return err
}

// Put implements [store.Driver].
func (b *bucket) Put(ctx context.Context, name string, r io.Reader, body store.Body, o store.Options) error {
	err := b.write(ctx, name, r, body.Hash, &blob.WriterOptions{
		CacheControl: o.CacheControl, ContentType: o.ContentType, IfNotExist: o.IfAbsent, BufferSize: partSize(body.Size),
	})
	if o.IfAbsent && refused(err) {
		return store.ErrExists
	}
	return b.found(err, name)
}

// partSize is the size of the parts in which a file is sent: S3 takes 10,000.
func partSize(size int64) int {
	const least, parts = 16 << 20, 5000
	return int(max(least, size/parts))
}

// write writes all of r, or nothing: to cancel a writer before it is closed discards it.
func (b *bucket) write(ctx context.Context, name string, r io.Reader, h manifests.Hash, o *blob.WriterOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.Metadata = map[string]string{hashKey: h.String()}
	w, err := b.NewWriter(ctx, name, o)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel()
		_ = w.Close() // its error is that it was canceled
		return err
	}
	return w.Close()
}

// refused reports whether a condition of a write was not met.
func refused(err error) bool {
	if err == nil {
		return false
	}
	code := gcerrors.Code(err)
	return code == gcerrors.FailedPrecondition || code == gcerrors.AlreadyExists ||
		strings.Contains(err.Error(), "PreconditionFailed") || strings.Contains(err.Error(), "ConditionalRequestConflict")
}

// Get implements [store.Driver]. It is one request: what a file is costs no other.
func (b *bucket) Get(ctx context.Context, name string, offset int64) (io.ReadCloser, store.Attrs, error) {
	r, err := b.NewRangeReader(ctx, name, offset, -1, nil)
	if err != nil && offset > 0 { // no range of an empty rest can be asked for
		if a, serr := b.Stat(ctx, name); serr == nil && a.Size == offset {
			return io.NopCloser(strings.NewReader("")), a, nil
		}
	}
	if err != nil {
		return nil, store.Attrs{}, b.found(err, name)
	}
	return r, store.Attrs{Size: r.Size(), ModTime: r.ModTime(), ContentType: r.ContentType()}, nil
}

// Stat implements [store.Driver].
func (b *bucket) Stat(ctx context.Context, name string) (store.Attrs, error) {
	a, err := b.Attributes(ctx, name)
	if err != nil {
		return store.Attrs{}, b.found(err, name)
	}
	out := store.Attrs{Size: a.Size, ModTime: a.ModTime, CacheControl: a.CacheControl, ContentType: a.ContentType}
	out.Hash, _ = manifests.ParseHash(a.Metadata[hashKey]) // others may have put it
	return out, nil
}

// List implements [store.Driver].
func (b *bucket) List(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		it := b.Bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := it.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(store.Object{}, b.found(err, prefix))
				return
			}
			if !yield(store.Object{Name: o.Key, Size: o.Size, ModTime: o.ModTime}, nil) {
				return
			}
		}
	}
}

// Copy implements [store.Driver].
func (b *bucket) Copy(ctx context.Context, dst, src string, o store.Options) error {
	a, err := b.Attributes(ctx, src)
	if err != nil {
		return b.found(err, src)
	}
	before := func(as func(any) bool) error { return b.kind.beforeCopy(o, a.Metadata, as) }
	if err := b.Bucket.Copy(ctx, dst, src, &blob.CopyOptions{BeforeCopy: before}); err != nil {
		return b.found(err, src)
	}
	return b.kind.afterCopy(ctx, b.Bucket, b.prefix+dst, o)
}

// Delete implements [store.Driver].
func (b *bucket) Delete(ctx context.Context, name string) error {
	return b.found(b.Bucket.Delete(ctx, name), name)
}

// Load implements [store.Driver].
func (b *bucket) Load(ctx context.Context, name string, limit int64) ([]byte, store.Version, error) {
	r, err := b.NewReader(ctx, name, nil)
	if err != nil {
		return nil, "", b.found(err, name)
	}
	data, err := dist.ReadAll(r, name, limit)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, "", err
	}
	v := b.kind.version(r)
	if v == "" {
		return nil, "", errors.New("the server does not tell the version")
	}
	return data, v, nil
}

// Swap implements [store.Driver].
func (b *bucket) Swap(ctx context.Context, name string, old store.Version, data []byte, o store.Options) error {
	w := &blob.WriterOptions{CacheControl: o.CacheControl, ContentType: o.ContentType, IfNotExist: old == ""}
	if old != "" {
		w.BeforeWrite = func(as func(any) bool) error { return b.kind.ifVersion(old, as) }
	}
	err := b.write(ctx, name, strings.NewReader(string(data)), manifests.HashOf(data), w)
	if refused(err) || old != "" && gcerrors.Code(err) == gcerrors.NotFound {
		return store.ErrChanged
	}
	return b.found(err, name)
}
