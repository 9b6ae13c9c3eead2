package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"x.go/dist"
	"x.go/manifests"
)

// maxChecksum bounds a .sha256 file: 64 digits, two spaces and a name.
const maxChecksum = 1 << 10

// checkChecksum compares the file path+".sha256" with the digest of the file.
// rustup uses its first 64 bytes, panics if there are fewer, and compares
// digits as text; sha256sum -c needs the name.
func checkChecksum(s *subject, check, path, name string, sum manifests.Hash) {
	s.declare(check)
	b, err := dist.ReadFile(path+".sha256", maxChecksum)
	if errors.Is(err, fs.ErrNotExist) {
		s.failf(check, "%s.sha256 is missing", name)
		return
	}
	if err != nil {
		s.failf(check, "%v", err)
		return
	}
	for _, why := range badChecksum(b, name, sum) {
		s.failf(check, "%s.sha256: %s", name, why)
	}
}

// badChecksum lists what is wrong with the text of a .sha256 file: a digest alone, or
// the line that sha256sum prints.
func badChecksum(text []byte, name string, sum manifests.Hash) []string {
	got, of, err := manifests.ParseChecksum(text)
	if err != nil {
		return []string{err.Error()}
	}
	var bad []string
	if got != sum {
		bad = append(bad, fmt.Sprintf("got %s, but the file has %s", got, sum))
	}
	if want := manifests.FormatChecksum(got, name); of != "" && !bytes.Equal(text, want) {
		bad = append(bad, fmt.Sprintf("got %.200q, want %q", text, want))
	}
	return bad
}
