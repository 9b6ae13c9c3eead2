// Package storetest tests that a kind of store keeps the promises of package store.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/store"
	"x.go/manifests"
)

// Suite tests the stores that open returns: at each call the same one, opened again.
func Suite(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s *store.Store)
	}{
		{"put", put}, {"parts", parts}, {"damaged", damaged}, {"if-absent", ifAbsent}, {"absent", absent}, {"list", list},
		{"copy", copies}, {"delete", deletes}, {"swap", swap}, {"names", names},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
	t.Run("many-writers", func(t *testing.T) { manyWriters(t, open) })
}

// Read returns the content of a file, from an offset on.
func Read(t testing.TB, s *store.Store, name string, offset int64) string {
	t.Helper()
	r, _, err := s.Get(t.Context(), name, offset)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

// Put puts a small file.
func Put(t testing.TB, s *store.Store, name, text string) {
	t.Helper()
	if err := s.Put(t.Context(), name, store.Bytes([]byte(text)), store.Options{}); err != nil {
		t.Fatal(err)
	}
}

// Names returns the names that begin with prefix.
func Names(t testing.TB, s *store.Store, prefix string) []string {
	t.Helper()
	var out []string
	for o, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o.Name)
	}
	return out
}

func put(t *testing.T, s *store.Store) {
	Put(t, s, "dist/put/a", "one")
	Put(t, s, "dist/put/a", "second")
	if got := Read(t, s, "dist/put/a", 0); got != "second" {
		t.Errorf("got %q, want the second text", got)
	}
	if got := Read(t, s, "dist/put/a", 2); got != "cond" {
		t.Errorf("from 2: got %q", got)
	}
	a, err := s.Stat(t.Context(), "dist/put/a")
	if err != nil || a.Size != 6 || a.ModTime.IsZero() {
		t.Errorf("got %+v, %v; want 6 bytes and a time", a, err)
	}
	h, err := s.Hash(t.Context(), "dist/put/a")
	if want := manifests.HashOf([]byte("second")); err != nil || h != want || !a.Hash.IsZero() && a.Hash != want {
		t.Errorf("got %s, %v, noted %s; want %s", h, err, a.Hash, want)
	}
	Put(t, s, "dist/put/empty", "")
	if got := Read(t, s, "dist/put/empty", 0); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

// A file that is sent in parts is one file: put once, read from anywhere, copied with its
// digest. A damaged one is none.
func parts(t *testing.T, s *store.Store) {
	const name = "dist/parts/2026-04-16/a.tar.xz"
	data := bytes.Repeat([]byte("0123456789abcdef"), 17<<20/16) // two parts, of 16 MiB and the rest
	body := store.Bytes(data)
	broken := body
	broken.Hash = manifests.HashOf(nil)
	if err := s.Put(t.Context(), name, broken, store.Options{IfAbsent: true}); err == nil {
		t.Error("a damaged file: got no error")
	}
	if got := Names(t, s, "dist/parts/"); got != nil {
		t.Errorf("a damaged file has a name: %q", got)
	}
	for i, want := range []error{nil, store.ErrExists} {
		if err := s.Put(t.Context(), name, body, store.Options{IfAbsent: true}); !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", i, err, want)
		}
	}
	if err := s.Copy(t.Context(), "dist/parts/a.tar.xz", name); err != nil {
		t.Error(err)
	}
	for _, name := range []string{name, "dist/parts/a.tar.xz"} {
		if h, err := s.Hash(t.Context(), name); err != nil || h != body.Hash {
			t.Errorf("%s: got %s, %v; want %s", name, h, err, body.Hash)
		}
		if a, err := s.Stat(t.Context(), name); err != nil || a.Size != body.Size || !a.Hash.IsZero() && a.Hash != body.Hash {
			t.Errorf("%s: got %+v, %v", name, a, err)
		}
	}
	if got := Read(t, s, name, body.Size-3); got != "def" {
		t.Errorf("the end: got %q", got)
	}
}

// A body that is not what it says gets no name, and takes none away.
func damaged(t *testing.T, s *store.Store) {
	Put(t, s, "dist/damaged/a", "good")
	reading := func(data string, err error) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) {
			r := io.Reader(strings.NewReader(data))
			if err != nil {
				r = io.MultiReader(r, &failing{err})
			}
			return io.NopCloser(r), nil
		}
	}
	want := store.Bytes([]byte("other"))
	broken := errors.New("the disk is broken")
	for _, body := range []store.Body{
		{Open: reading("othe", nil), Size: want.Size, Hash: want.Hash},
		{Open: reading("others", nil), Size: want.Size, Hash: want.Hash},
		{Open: reading("ether", nil), Size: want.Size, Hash: want.Hash},
		{Open: reading("oth", broken), Size: want.Size, Hash: want.Hash},
		{Open: func() (io.ReadCloser, error) { return nil, broken }, Size: want.Size, Hash: want.Hash},
	} {
		for _, name := range []string{"dist/damaged/a", "dist/damaged/b"} {
			if err := s.Put(t.Context(), name, body, store.Options{}); err == nil {
				t.Errorf("%s: got no error", name)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "dist/damaged/b", want, store.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if diff := cmp.Diff([]string{"dist/damaged/a"}, Names(t, s, "dist/damaged/")); diff != "" {
		t.Error(diff)
	}
	if got := Read(t, s, "dist/damaged/a", 0); got != "good" {
		t.Errorf("got %q, want what was there", got)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func ifAbsent(t *testing.T, s *store.Store) {
	for i, want := range []error{nil, store.ErrExists} {
		err := s.Put(t.Context(), "dist/if-absent/a", store.Bytes([]byte{byte('0' + i)}), store.Options{IfAbsent: true})
		if !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", i, err, want)
		}
	}
	if got := Read(t, s, "dist/if-absent/a", 0); got != "0" {
		t.Errorf("got %q, want the first", got)
	}
}

func absent(t *testing.T, s *store.Store) {
	_, _, gerr := s.Get(t.Context(), "dist/none/a", 0)
	_, serr := s.Stat(t.Context(), "dist/none/a")
	_, v, lerr := s.Load(t.Context(), "dist/none/a", 10)
	for _, err := range []error{gerr, serr, lerr, s.Copy(t.Context(), "dist/none/b", "dist/none/a")} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want that it does not exist", err)
		}
	}
	if v != "" {
		t.Errorf("got version %q, want none", v)
	}
	if got := Names(t, s, "dist/none/"); got != nil {
		t.Errorf("got %q, want nothing", got)
	}
}

func list(t *testing.T, s *store.Store) {
	all := []string{"dist/list/a", "dist/list/a.b", "dist/list/a/c", "dist/list/ab", "dist/list2/a"}
	for _, name := range all {
		if name != "dist/list/a" { // a directory has no file and directory of one name
			Put(t, s, name, name)
		}
	}
	for _, tt := range []struct {
		prefix string
		want   []string
	}{
		{"dist/list", all[1:]}, {"dist/list/", all[1:4]}, {"dist/list/a/", all[2:3]}, {"dist/list/a", all[1:4]}, {"dist/list/ab", all[3:4]},
		{"dist/list/x", nil},
	} {
		if diff := cmp.Diff(tt.want, Names(t, s, tt.prefix)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.prefix, diff)
		}
	}
	for o, err := range s.List(t.Context(), "dist/list/") {
		if err != nil || o.Size != int64(len(o.Name)) || o.ModTime.IsZero() || o.Type != 0 {
			t.Errorf("got %+v, %v", o, err)
		}
		break
	}
}

func copies(t *testing.T, s *store.Store) {
	Put(t, s, "dist/copy/2026-04-16/a", "new")
	Put(t, s, "dist/copy/a", "old")
	for range 2 {
		if err := s.Copy(t.Context(), "dist/copy/a", "dist/copy/2026-04-16/a"); err != nil {
			t.Fatal(err)
		}
	}
	Put(t, s, "dist/copy/2026-04-16/a", "newer")
	if got := Read(t, s, "dist/copy/a", 0); got != "new" {
		t.Errorf("got %q, want what was copied", got)
	}
	if got, want := Names(t, s, "dist/copy/"), []string{"dist/copy/2026-04-16/a", "dist/copy/a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func deletes(t *testing.T, s *store.Store) {
	Put(t, s, "dist/delete/d/a", "a")
	for range 2 {
		if err := s.Delete(t.Context(), "dist/delete/d/a"); err != nil {
			t.Error(err)
		}
	}
	if got := Names(t, s, "dist/delete/"); got != nil {
		t.Errorf("got %q, want nothing", got)
	}
	Put(t, s, "dist/delete/d", "where a directory was")
}

func swap(t *testing.T, s *store.Store) {
	const name = "swap.txt"
	if err := s.Swap(t.Context(), name, "", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(t.Context(), name, "", []byte("2")); !errors.Is(err, store.ErrChanged) {
		t.Errorf("over what exists: got %v, want ErrChanged", err)
	}
	data, v, err := s.Load(t.Context(), name, 10)
	if err != nil || string(data) != "1" {
		t.Fatalf("got %q, %v", data, err)
	}
	if err := s.Swap(t.Context(), name, v, []byte("3")); err != nil {
		t.Error(err)
	}
	if err := s.Swap(t.Context(), name, v, []byte("4")); !errors.Is(err, store.ErrChanged) {
		t.Errorf("with an old version: got %v, want ErrChanged", err)
	}
	if err := s.Swap(t.Context(), "none.txt", v, []byte("4")); !errors.Is(err, store.ErrChanged) {
		t.Errorf("of what is gone: got %v, want ErrChanged", err)
	}
	if got := Read(t, s, name, 0); got != "3" {
		t.Errorf("got %q, want 3", got)
	}
	if _, _, err := s.Load(t.Context(), name, 0); err == nil {
		t.Error("got no error beyond the limit")
	}
}

// names that are no clean paths are refused by each method.
func names(t *testing.T, s *store.Store) {
	for _, name := range []string{"", ".", "/etc/passwd", "../a", "dist/../../a", "dist//a", "dist/", "./a", `dist\a`, "a\nb", ".x-lock", "dist/.x-1.tmp"} {
		_, _, gerr := s.Get(t.Context(), name, 0)
		_, serr := s.Stat(t.Context(), name)
		_, _, lerr := s.Load(t.Context(), name, 10)
		for i, err := range []error{gerr, serr, lerr,
			s.Put(t.Context(), name, store.Bytes(nil), store.Options{}), s.Delete(t.Context(), name),
			s.Copy(t.Context(), name, "a"), s.Copy(t.Context(), "a", name), s.Swap(t.Context(), name, "", nil),
		} {
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q, method %d: got %v, want it refused", name, i, err)
			}
		}
	}
}

// manyWriters lets several writers, each with a store of its own, put one name and count
// in one file.
func manyWriters(t *testing.T, open func(t *testing.T) *store.Store) {
	const writers, rounds = 4, 5
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range writers {
		s := open(t)
		wg.Go(func() {
			body := store.Bytes(bytes.Repeat([]byte{byte('0' + i)}, 100_000))
			switch err := s.Put(t.Context(), "dist/many/a", body, store.Options{IfAbsent: true}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, store.ErrExists):
				t.Error(err)
			}
			for range rounds {
				if err := count(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := won.Load(); got != 1 {
		t.Errorf("%d writers put the file if absent, want 1", got)
	}
	s := open(t)
	if got := Read(t, s, "dist/many/a", 0); len(got) != 100_000 || strings.Trim(got, got[:1]) != "" {
		t.Errorf("got %d bytes, want those of one writer", len(got))
	}
	if got := Read(t, s, "count.txt", 0); len(got) != writers*rounds {
		t.Errorf("got %d counts, want %d", len(got), writers*rounds)
	}
}

// count appends a byte to a file.
func count(ctx context.Context, s *store.Store) error {
	for range 1000 {
		data, v, err := s.Load(ctx, "count.txt", 1<<10)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err = s.Swap(ctx, "count.txt", v, append(data, '+')); !errors.Is(err, store.ErrChanged) {
			return err
		}
	}
	return fmt.Errorf("counting: no end of changes")
}
