//go:build !nos3 || cloud

package cloud_test

import (
	"os"
	"testing"

	"x.go/dist/store"
	_ "x.go/dist/store/cloud"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// testBucket holds a bucket to what a store promises, and to the headers.
func testBucket(t *testing.T, place string) {
	t.Helper()
	open := func(t *testing.T) *store.Store {
		s, err := store.Open(t.Context(), place)
		testenv.Must(t, err)
		t.Cleanup(func() { s.Close() })
		return s
	}
	storetest.Suite(t, open)
	t.Run("headers", func(t *testing.T) {
		s := open(t)
		const dated = "dist/2026-04-16/a.tar.xz"
		storetest.Put(t, s, dated, "a")
		testenv.Must(t, s.Copy(t.Context(), "dist/a.tar.xz", dated))
		for _, name := range []string{dated, "dist/a.tar.xz"} {
			a, err := s.Stat(t.Context(), name)
			if err != nil || a.CacheControl != store.CacheControl(name) || a.ContentType != "application/x-xz" || a.Hash.IsZero() {
				t.Errorf("%s: got %+v, %v", name, a, err)
			}
		}
	})
}
