package manifests

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
)

// HashOf returns the digest of data.
func HashOf(data []byte) Hash { return sha256.Sum256(data) }

// ChecksumExt is what the name of a checksum file has behind the name of the file
// that it is about.
const ChecksumExt = ".sha256"

// FormatChecksum returns the content of the .sha256 file beside the file
// name: the digest, two spaces, the name without folder, a line feed. It is
// what sha256sum prints.
func FormatChecksum(h Hash, name string) []byte {
	return []byte(h.String() + "  " + name + "\n")
}

// ParseChecksum reads a .sha256 file. The name is "" if the file holds only
// the digest.
//
// rustup takes the first 64 bytes and ignores the rest; whoever checks with
// sha256sum needs the rest too. So a digest followed by nothing, or by two
// spaces (or a space and '*') and a file name without folder, is all that is
// accepted, with one line feed or none.
func ParseChecksum(data []byte) (h Hash, name string, err error) {
	const maxLen = 1 << 10 // digest and the longest file name of any system
	if len(data) > maxLen {
		return Hash{}, "", fmt.Errorf("parsing checksum file: got %d bytes, want at most %d", len(data), maxLen)
	}
	line := string(bytes.TrimSuffix(data, []byte("\n")))
	const digits = 2 * sha256.Size
	if len(line) <= digits {
		h, err = ParseHash(line)
		if err != nil {
			err = fmt.Errorf("parsing checksum file: %w", err)
		}
		return h, "", err
	}
	if h, err = ParseHash(line[:digits]); err != nil {
		return Hash{}, "", fmt.Errorf("parsing checksum file: %w", err)
	}
	name, ok := strings.CutPrefix(line[digits:], "  ")
	if !ok {
		name, ok = strings.CutPrefix(line[digits:], " *")
	}
	if !ok || name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`) || hasControl(name) {
		return Hash{}, "", fmt.Errorf("parsing checksum file: got %q after the digest, want two spaces and a file name", line[digits:])
	}
	return h, name, nil
}
