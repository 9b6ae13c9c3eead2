package dist

import (
	"io"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// image returns an image of files with their names as content. A name that ends in
// "*" is executable, one that ends in "/" a directory.
func image(t testing.TB, names ...string) Image {
	t.Helper()
	var img Image
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, "/"):
			testenv.Must(t, img.AddDir(strings.TrimSuffix(name, "/")))
		case strings.HasSuffix(name, "*"):
			name = strings.TrimSuffix(name, "*")
			testenv.Must(t, img.AddBytes(name, []byte(name+"\n"), ModeExec))
		default:
			testenv.Must(t, img.AddBytes(name, []byte(name+"\n"), ModeFile))
		}
	}
	return img
}

// names lists an image as image takes it.
func names(img Image) []string {
	var out []string
	for e := range img.Entries() {
		switch {
		case e.IsDir():
			out = append(out, e.Name+"/")
		case e.IsExec():
			out = append(out, e.Name+"*")
		case e.Link != "":
			out = append(out, e.Name+" -> "+e.Link)
		default:
			out = append(out, e.Name)
		}
	}
	return out
}

// readEntry returns the content of an entry.
func readEntry(t testing.TB, img Image, name string) string {
	t.Helper()
	e, ok := img.Lookup(name)
	if !ok {
		t.Fatalf("no entry %q", name)
	}
	r, err := e.Open()
	testenv.Must(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	testenv.Must(t, err)
	return string(data)
}
