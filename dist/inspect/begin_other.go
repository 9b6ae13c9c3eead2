//go:build !unix

package inspect

import (
	"errors"
	"io"
	"os"
)

// beginning reads the first bytes of a regular file of a directory into b.
func beginning(path string, b []byte) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := f.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
