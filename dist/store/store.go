package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"sync"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// Errors to branch on, with [errors.Is].
var (
	// ErrExists says that a name is taken: see [Options.IfAbsent].
	ErrExists = errors.New("it exists")
	// ErrChanged says that a file is no longer of the version that the caller saw: see
	// [Store.Swap].
	ErrChanged = errors.New("it was changed meanwhile")
)

// AbsentError says that a store has no file of a name.
type AbsentError struct {
	// Name is the file's name.
	Name string
}

// Error says what is absent.
func (e *AbsentError) Error() string { return "it does not exist" }

// Is has [errors.Is] find [fs.ErrNotExist].
func (e *AbsentError) Is(target error) bool { return target == fs.ErrNotExist }

// Body is the content of a file to put.
type Body struct {
	// Open opens the content at its start. It may be called more than once.
	Open func() (io.ReadCloser, error)
	// Size is the number of bytes.
	Size int64
	// Hash is the digest of the bytes. Content of another digest, or of another size,
	// is an error, and does not get the name.
	Hash manifests.Hash
	// File, unless empty, is a file with that content, which was checked and which nobody
	// writes any more. A directory on the same file system may give it another name.
	File string
}

// Bytes returns the body of a small file.
func Bytes(data []byte) Body {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return Body{Open: open, Size: int64(len(data)), Hash: manifests.HashOf(data)}
}

// Options say how to put a file.
type Options struct {
	// IfAbsent keeps what is there under the name: the error is [ErrExists].
	IfAbsent bool
	// Lazy does without waiting for the disk, where there is one: after a loss of power,
	// the file may be cut short until [Store.Flush] has returned.
	Lazy bool
	// CacheControl and ContentType are the headers with which a bucket serves the
	// file; empty means those of [CacheControl] and [ContentType]. A directory has
	// none: its server decides.
	CacheControl, ContentType string
}

// Attrs are what a store knows of a file.
type Attrs struct {
	// Size is the number of bytes.
	Size int64
	// ModTime is when the name got its content.
	ModTime time.Time
	// Hash is the digest that was noted when the file was put; zero if none was. It is
	// no proof of what the file has now.
	Hash manifests.Hash
	// CacheControl and ContentType are the headers with which the file is served.
	CacheControl, ContentType string
}

// Object is a file of a listing.
type Object struct {
	// Name is the file's name.
	Name string
	// Size is the number of bytes.
	Size int64
	// ModTime is when the name got its content.
	ModTime time.Time
	// Type is zero for a file. In a directory there may be other things, such as a
	// symbolic link, which no method of the store follows or reads.
	Type fs.FileMode
}

// Version is a state of a file: opaque, and only to be compared. The empty Version is
// that of a name without file.
type Version string

// Driver is a kind of store. Its methods are those of [Store], with names that were
// checked and with options that are complete. Their errors need not name the operation or
// the file. Put must discard everything if r returns an error that is not [io.EOF].
type Driver interface {
	Put(ctx context.Context, name string, r io.Reader, body Body, o Options) error
	Get(ctx context.Context, name string, offset int64) (io.ReadCloser, Attrs, error)
	Stat(ctx context.Context, name string) (Attrs, error)
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
	Copy(ctx context.Context, dst, src string, o Options) error
	Delete(ctx context.Context, name string) error
	Load(ctx context.Context, name string, limit int64) ([]byte, Version, error)
	Swap(ctx context.Context, name string, old Version, data []byte, o Options) error
	Close() error
}

// flusher is a kind of store that knows of [Options.Lazy].
type flusher interface {
	Flush(ctx context.Context) error
}

// Store is an open store. Its methods may be called from several goroutines.
type Store struct {
	driver Driver
	shown  string
}

var (
	schemesMu sync.Mutex
	schemes   = map[string]func(ctx context.Context, place string) (Driver, error){}
)

// Register adds the kind of store whose places are URLs of a scheme, as [database/sql]
// has its drivers.
func Register(scheme string, open func(ctx context.Context, place string) (Driver, error)) {
	schemesMu.Lock()
	defer schemesMu.Unlock()
	schemes[scheme] = open
}

// withCloud says how to get the kinds of stores that would double the size of x.
const withCloud = "this x was built without it: build it with `go build -tags cloud`"

// remedies say how to get the kinds of stores that are not in each program.
var remedies = map[string]string{
	"s3":     "this x was built with -tags nos3: build it without",
	"gs":     withCloud,
	"azblob": withCloud,
	"http":   "an HTTP server can only be read: name a directory or a bucket",
	"https":  "an HTTP server can only be read: name a directory or a bucket",
}

// CheckPlace returns an error if a place looks like a path, and is the URL of a store with
// a mistake in it, such as s3:bucket.
func CheckPlace(place string) error {
	scheme, rest, ok := strings.Cut(place, ":")
	lower := strings.ToLower(scheme)
	if !ok || scheme == lower && strings.HasPrefix(rest, "//") || lower != "file" && remedies[lower] == "" {
		return nil
	}
	return fmt.Errorf("opening store %q: it is no path: want %s://, or ./ before a path", manifests.Redact(place), lower)
}

// Open opens the store at a place. A directory need not exist: the first file that is
// put creates it.
func Open(ctx context.Context, place string) (*Store, error) {
	s := &Store{shown: manifests.Redact(place)}
	open := openDir
	if err := CheckPlace(place); err != nil {
		return nil, err
	}
	if scheme, _, ok := strings.Cut(place, "://"); ok && scheme != "file" {
		schemesMu.Lock()
		open = schemes[scheme]
		schemesMu.Unlock()
		if open == nil {
			remedy := remedies[scheme]
			if remedy == "" {
				remedy = "want a path, file:// or s3://"
			}
			return nil, fmt.Errorf("opening store %q: got scheme %q: %s", s.shown, scheme, remedy)
		}
	}
	var err error
	if s.driver, err = open(ctx, place); err != nil {
		return nil, fmt.Errorf("opening store %q: %w", s.shown, err)
	}
	return s, nil
}

// Close releases the store. A directory may be left without: the end of the process
// releases it, too.
func (s *Store) Close() error { return s.driver.Close() }

// String returns the place, without what could be a secret.
func (s *Store) String() string { return s.shown }

// CheckName returns an error unless name can be that of a file of a store: a clean
// relative slash path, without elements that stores use themselves.
func CheckName(name string) error {
	if err := manifests.CheckMemberName(name); err != nil {
		return err
	}
	for element := range strings.SplitSeq(name, "/") {
		if isOwn(element) {
			return fmt.Errorf("name has %q, which the store itself uses", element)
		}
	}
	return nil
}

// isOwn reports whether a store itself uses a name.
func isOwn(element string) bool { return strings.HasPrefix(element, ".x-") }

// fail describes an error of an operation on a file.
func (s *Store) fail(doing, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %q in store %q: %w", doing, name, s.shown, err)
}

// Put stores a file under a name.
func (s *Store) Put(ctx context.Context, name string, body Body, o Options) error {
	return s.fail("putting", name, s.put(ctx, name, body, o.complete(name)))
}

func (s *Store) put(ctx context.Context, name string, body Body, o Options) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if o.IfAbsent { // said before all of it is sent
		if _, err := s.driver.Stat(ctx, name); err == nil {
			return ErrExists
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	r, err := body.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return s.driver.Put(ctx, name, newChecked(ctx, r, body), body, o)
}

// Flush brings all to the disk that was put with [Options.Lazy].
func (s *Store) Flush(ctx context.Context) error {
	f, ok := s.driver.(flusher)
	if !ok {
		return nil
	}
	if err := f.Flush(ctx); err != nil {
		return fmt.Errorf("flushing store %q: %w", s.shown, err)
	}
	return nil
}

// Get reads a file from an offset on. Size of the attributes is that of all of it; Hash
// and CacheControl may be left out, for which see [Store.Stat]. The error is an
// [*AbsentError] if there is none.
func (s *Store) Get(ctx context.Context, name string, offset int64) (io.ReadCloser, Attrs, error) {
	if err := CheckName(name); err != nil {
		return nil, Attrs{}, s.fail("getting", name, err)
	}
	r, a, err := s.driver.Get(ctx, name, offset)
	return r, a, s.fail("getting", name, err)
}

// Hash reads all of a file and returns its digest.
func (s *Store) Hash(ctx context.Context, name string) (manifests.Hash, error) {
	r, a, err := s.Get(ctx, name, 0)
	if err != nil {
		return manifests.Hash{}, err
	}
	defer r.Close()
	h, err := dist.HashReader(ctx, r, a.Size, name)
	return h, s.fail("digesting", name, err)
}

// Stat returns what is known of a file. The error is an [*AbsentError] if there is none.
func (s *Store) Stat(ctx context.Context, name string) (Attrs, error) {
	if err := CheckName(name); err != nil {
		return Attrs{}, s.fail("looking up", name, err)
	}
	a, err := s.driver.Stat(ctx, name)
	return a, s.fail("looking up", name, err)
}

// List yields what has a name that begins with prefix, which need not end at a slash, in
// the order of the names' bytes. An error is the last that it yields. What the store
// itself uses is left out.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range s.driver.List(ctx, prefix) {
			if err != nil {
				yield(Object{}, s.fail("listing", prefix, err))
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Copy gives the file dst the content of the file src, without sending it. It replaces
// what was there.
func (s *Store) Copy(ctx context.Context, dst, src string) error {
	err := errors.Join(CheckName(dst), CheckName(src))
	if err == nil {
		err = s.driver.Copy(ctx, dst, src, Options{}.complete(dst))
	}
	if err != nil {
		return fmt.Errorf("copying %q to %q in store %q: %w", src, dst, s.shown, err)
	}
	return nil
}

// Delete removes a file, which may be missing.
func (s *Store) Delete(ctx context.Context, name string) error {
	err := CheckName(name)
	if err == nil {
		err = s.driver.Delete(ctx, name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.fail("deleting", name, err)
}

// Load returns the content of a small file and its version, for [Store.Swap]. More than
// limit bytes are an error. If there is none, the error is an [*AbsentError] and the
// version is empty.
func (s *Store) Load(ctx context.Context, name string, limit int64) ([]byte, Version, error) {
	if err := CheckName(name); err != nil {
		return nil, "", s.fail("reading", name, err)
	}
	data, v, err := s.driver.Load(ctx, name, limit)
	return data, v, s.fail("reading", name, err)
}

// Swap replaces a small file that is still of a version, or creates it if that is empty.
// Otherwise the error is [ErrChanged]: load it again.
func (s *Store) Swap(ctx context.Context, name string, old Version, data []byte) error {
	err := CheckName(name)
	if err == nil {
		err = s.driver.Swap(ctx, name, old, data, Options{}.complete(name))
	}
	return s.fail("replacing", name, err)
}
