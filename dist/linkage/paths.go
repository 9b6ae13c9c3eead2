package linkage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	maxPath = 512 // bytes kept of one path found
	window  = 256 << 10
)

// BuildPaths returns the distinct strings in r that start with one of roots,
// sorted, at most limit of them. Roots are beginnings of absolute paths that
// exist only on the machine of a build, such as "/home/" or "/tmp/";
// "/rustc/<commit>/" is not one: rustc writes it on purpose in place of its own
// source directory. A path ends at a byte that is not printable ASCII, or at a
// space, quote, colon, comma or bracket. Memory does not depend on the length
// of r.
func BuildPaths(r io.Reader, roots []string, limit int) ([]string, error) {
	seen := map[string]bool{}
	buf := make([]byte, 0, window)
	var before byte // the byte in front of buf
	for eof := false; !eof; {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			eof = true
		case err != nil:
			return nil, fmt.Errorf("looking for build paths: %w", err)
		}
		// A path that starts in the last maxPath bytes may go on in the next
		// window, so the next round looks for it.
		end := len(buf)
		if !eof {
			end -= maxPath
		}
		for _, root := range roots {
			scanRoot(buf, end, before, []byte(root), seen, limit)
		}
		if len(seen) >= limit || eof {
			break
		}
		before = buf[end-1]
		buf = append(buf[:0], buf[end:]...)
	}
	paths := make([]string, 0, len(seen))
	for p := range seen {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths, nil
}

// scanRoot adds the paths of buf that start before end with root.
func scanRoot(buf []byte, end int, before byte, root []byte, seen map[string]bool, limit int) {
	for at := 0; at < end && len(seen) < limit; {
		i := bytes.Index(buf[at:], root)
		if i < 0 || at+i >= end {
			return
		}
		at += i
		prev := before
		if at > 0 {
			prev = buf[at-1]
		}
		stop := at
		for stop < len(buf) && stop-at < maxPath && inPath(buf[stop]) {
			stop++
		}
		// In the middle of a longer path this is not a root.
		if stop-at > len(root) && !(inPath(prev) && prev != '=') {
			seen[string(buf[at:stop])] = true
		}
		at = stop
	}
}

func inPath(c byte) bool {
	return c > ' ' && c < 0x7f && !bytes.ContainsRune([]byte("\"'`:,;<>()[]{}|*?"), rune(c))
}
