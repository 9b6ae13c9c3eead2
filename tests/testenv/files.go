package testenv

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Must ends the test if err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// WriteTree writes files below a new directory and returns it: "name" is a file
// with its name as content, "name*" an executable one, "name/" a directory,
// "name -> target" a symbolic link.
func WriteTree(t testing.TB, entries ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, e := range entries {
		if name, target, ok := strings.Cut(e, " -> "); ok {
			Must(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
			Must(t, os.Symlink(target, filepath.Join(root, name)))
			continue
		}
		if strings.HasSuffix(e, "/") {
			Must(t, os.MkdirAll(filepath.Join(root, e), 0o755))
			continue
		}
		name, exec := strings.CutSuffix(e, "*")
		path := filepath.Join(root, name)
		Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		Must(t, os.WriteFile(path, []byte(name+"\n"), 0o600))
		if exec {
			Must(t, os.Chmod(path, 0o711))
		}
	}
	return root
}

// List returns the names in dir, sorted.
func List(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	Must(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	slices.Sort(out)
	return out
}

// Contents maps the names of all files in dir to their content.
func Contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range List(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		Must(t, err)
		out[name] = string(data)
	}
	return out
}

// Tree returns the files below dir with their modes and content, directories with
// a slash.
func Tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	Must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			out[rel+"/"] = info.Mode().String()
			return nil
		}
		var data []byte
		switch {
		case info.Mode().IsRegular():
			data, err = os.ReadFile(path)
		case info.Mode()&fs.ModeSymlink != 0:
			var target string
			target, err = os.Readlink(path)
			data = []byte(target)
		}
		out[rel] = info.Mode().String() + " " + string(data)
		return err
	}))
	return out
}
