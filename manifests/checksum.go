package manifests

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
)

// HashOf returns the digest of data.
func HashOf(data []byte) Hash { return sha256.Sum256(data) }

// ChecksumExt follows the name of a file in the name of its checksum file.
const ChecksumExt = ".sha256"

// FormatChecksum returns the content of the .sha256 file for the file name: the
// digest, two spaces, the name without directory, a line feed, as sha256sum prints
// it.
func FormatChecksum(h Hash, name string) []byte {
	return []byte(h.String() + "  " + name + "\n")
}

// ParseChecksum reads a .sha256 file. The name is "" if the file holds only
// the digest.
//
// rustup reads the first 64 bytes and ignores the rest; sha256sum needs the rest
// too. So ParseChecksum accepts a digest alone, or a digest, two spaces (or a
// space and '*') and a file name without directory. One line feed may follow.
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
