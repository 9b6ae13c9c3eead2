package verify

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"

	"x.go/dist"
	"x.go/dist/sign"
	"x.go/manifests"
)

// signatures end the names of files that sign the one beside them.
var signatures = []string{".asc", ".sig", ".minisig"}

// Files of a mirror beside archives and manifests.
const (
	manifestsList = "manifests.txt" // the paths of all manifests, one a line
	maxMirrorList = 64 << 20        // bytes
)

// side judges a file that good mirrors have, and reports whether path is one: a
// signature, a list of manifests, a version 1 manifest, the checksum of a file, and
// a file that has one.
func (in *input) side(s *subject, path string, opts Options) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	name := filepath.Base(path)
	for _, ext := range signatures {
		if signed, ok := strings.CutSuffix(path, ext); ok && exists(signed) {
			in.signature(s, signed, opts.keyring(ext), ext)
			return true
		}
	}
	sum := path + manifests.ChecksumExt
	of, isSum := strings.CutSuffix(path, manifests.ChecksumExt)
	switch {
	case isSum && exists(of):
		return in.checkSum(s, path, of)
	case name == manifestsList:
		return in.lines(s, path, isManifestPath)
	case exists(sum):
		return in.checkSum(s, sum, path)
	case strings.HasPrefix(name, "channel-rust-") && !strings.HasSuffix(name, ".txt"):
		return in.lines(s, path, isPlainName)
	}
	return false
}

// maxSigned bounds a signed file, which is read into memory, in bytes. The largest
// archive of Rust's has 400 MB.
const maxSigned = 1 << 30

// signature checks that of a file which is not of a channel, such as an archive.
func (in *input) signature(s *subject, signed string, ring *sign.Keyring, ext string) {
	name := filepath.Base(signed) + ext
	if ring == nil {
		s.skipf(inputUnchecked, "signatures are not checked, such as %q: --keyring names the keys", name)
		return
	}
	text, err := dist.ReadFile(signed+ext, sign.MaxSignature)
	var data []byte
	if err == nil {
		data, err = dist.ReadFile(signed, maxSigned)
	}
	if err == nil {
		_, err = ring.Check(data, text)
	}
	if err != nil {
		s.failf(inputUnchecked, "%q: %v", name, err)
	}
}

func exists(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// checkSum compares a file with its checksum, which checks both.
func (in *input) checkSum(s *subject, sum, of string) bool {
	in.check(sum)
	in.check(of)
	text, err := dist.ReadFile(sum, maxChecksum)
	if err != nil {
		s.failf(inputUnchecked, "%v", err)
		return true
	}
	got, err := dist.HashFile(context.Background(), of)
	if err != nil {
		s.failf(inputUnchecked, "%v", err)
		return true
	}
	for _, why := range badChecksum(text, filepath.Base(of), got) {
		s.failf(inputUnchecked, "%q: %s", filepath.Base(sum), why)
	}
	return true
}

// lines judges each line of a list.
func (in *input) lines(s *subject, list string, sound func(line string) bool) bool {
	data, err := dist.ReadFile(list, maxMirrorList)
	if err != nil {
		s.failf(inputUnchecked, "%v", err)
		return true
	}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if line = strings.TrimRight(line, "\r\n"); !sound(line) {
			s.failf(inputUnchecked, "%q: got line %d %.200q, which names no file of a mirror", filepath.Base(list), number, line)
		}
	}
	return true
}

// isManifestPath reports whether a line is a path such as
// static.rust-lang.org/dist/2026-04-16/channel-rust-stable.toml.
func isManifestPath(line string) bool {
	return strings.HasPrefix(path.Base(line), "channel-rust-") && strings.HasSuffix(line, ".toml")
}

// isPlainName reports whether a line of a version 1 manifest is a file name.
func isPlainName(line string) bool {
	return line == path.Base(line) && manifests.CheckMemberName(line) == nil
}
