package install

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

// TestDryRun compares what a dry run says with what a run then says and does.
func TestDryRun(t *testing.T) {
	fresh := scenario{name: "install", start: func(*testing.T, string) {}, run: scenarios()[0].run}
	for _, s := range append(scenarios(), fresh) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			prefix := filepath.Join(t.TempDir(), "a/p")
			testenv.Must(t, os.Mkdir(filepath.Dir(prefix), 0o755))
			s.start(t, prefix)
			before := testenv.Tree(t, filepath.Dir(prefix))
			opts := Options{Prefix: prefix, Uninstaller: uninstaller(t)}
			dry := opts
			dry.DryRun = true
			planned, err := s.run(t, dry)
			testenv.Must(t, err)
			if diff := cmp.Diff(before, testenv.Tree(t, filepath.Dir(prefix))); diff != "" {
				t.Fatalf("a dry run changed (-before +after):\n%s", diff)
			}
			done, err := s.run(t, opts)
			testenv.Must(t, err)
			if diff := cmp.Diff(done, planned); diff != "" {
				t.Errorf("a dry run says something else (-run +dry run):\n%s", diff)
			}
			after := testenv.Tree(t, filepath.Dir(prefix))
			wantEffect(t, filepath.Dir(prefix), before, after, done)
		})
	}
}

// wantEffect compares the files of two trees below dir with what a result tells of the
// run between them.
func wantEffect(t *testing.T, dir string, before, after map[string]string, done Installed) {
	t.Helper()
	written := slices.Concat(done.Created, done.Replaced, done.Records.Written)
	gone := slices.Concat(done.Removed, done.Records.Removed)
	for _, b := range done.Backups {
		written, gone = append(written, b.Old), append(gone, b.Path)
	}
	tells := func(list []string, file string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return within(p, file) })
	}
	for name, text := range after {
		was, there := before[name]
		if file := filepath.Join(dir, name); !strings.HasSuffix(name, "/") && (!there || was != text) != tells(written, file) &&
			!slices.Contains(done.Records.Written, file) { // of which one may only get another time
			t.Errorf("%q: before %q, after %q, told as written: %v", file, was, text, tells(written, file))
		}
	}
	for name := range before {
		file := filepath.Join(dir, name)
		if _, there := after[name]; !there && !strings.HasSuffix(name, "/") && !tells(gone, file) {
			t.Errorf("%q is gone, which nothing tells", file)
		}
	}
	for _, file := range gone {
		rel, err := filepath.Rel(dir, file)
		testenv.Must(t, err)
		if after[rel] != "" && !tells(written, file) {
			t.Errorf("%q is told to be gone", file)
		}
	}
}
