package manifests

import (
	"fmt"
	"slices"
	"strings"
)

// ChecksumsFile lists the digests of the files of a channel, as sha256sum prints them.
const ChecksumsFile = "SHA256SUMS"

// ChecksumsSuffix replaces ".toml" in the name of a channel manifest in the name of its
// [ChecksumsFile] where several channels share a directory: that of a day in a store.
const ChecksumsSuffix = "-" + ChecksumsFile

// MaxChecksums bounds [ChecksumsFile] in bytes. A channel of Rust's has 3000 files.
const MaxChecksums = 16 << 20

// FormatChecksums returns the content of [ChecksumsFile] for files by name, in order of
// the names.
func FormatChecksums(sums map[string]Hash) []byte {
	var names []string
	for name := range sums {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []byte
	for _, name := range names {
		out = append(out, FormatChecksum(sums[name], name)...)
	}
	return out
}

// ParseChecksums reads [ChecksumsFile]. A line that is not as [ParseChecksum] wants it, a
// name without directory behind the digest, is an error, and so is a name that occurs
// twice.
func ParseChecksums(data []byte) (map[string]Hash, error) {
	if len(data) > MaxChecksums {
		return nil, fmt.Errorf("parsing %s: got %d bytes, want at most %d", ChecksumsFile, len(data), MaxChecksums)
	}
	sums := map[string]Hash{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		sum, name, err := ParseChecksum([]byte(line))
		switch {
		case err != nil:
			return nil, fmt.Errorf("parsing %s: line %d: %w", ChecksumsFile, number, err)
		case name == "":
			return nil, fmt.Errorf("parsing %s: line %d: got no file name", ChecksumsFile, number)
		case !sums[name].IsZero():
			return nil, fmt.Errorf("parsing %s: line %d: got %q for the second time", ChecksumsFile, number, name)
		}
		sums[name] = sum
	}
	return sums, nil
}
