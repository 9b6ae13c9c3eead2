package source

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"x.go/dist"
	"x.go/manifests"
)

// Bounds of what is read of git, in bytes.
const (
	maxRefs   = 64 << 20 // packed-refs
	maxCommit = 1 << 20  // a commit
	maxIndex  = 1 << 30  // the index of a pack
)

// errDelta is the error for a commit that is stored as a difference to another one.
var errDelta = errors.New("git has stored the commit as a difference to another one")

// readGit returns the commit that is checked out in a directory, and its day where it
// was made, as `git log -1 --date=short` has it. It reads the files of git: starting git
// there could start what the tree's configuration names.
func readGit(dir string) (manifests.Version, error) {
	g, err := openGit(dir)
	if err != nil {
		return manifests.Version{}, err
	}
	hash, err := g.head()
	if err != nil {
		return manifests.Version{}, err
	}
	text, err := g.object(hash)
	if err != nil {
		return manifests.Version{}, fmt.Errorf("reading commit %s: %w", hash, err)
	}
	day, err := commitDay(text)
	return manifests.Version{CommitHash: hash, CommitDate: day}, err
}

// git is a repository: dir is that of the checkout, common that of all checkouts.
type git struct{ dir, common string }

func openGit(dir string) (git, error) {
	p := filepath.Join(dir, ".git")
	info, err := os.Lstat(p)
	if err != nil {
		return git{}, err
	}
	if !info.IsDir() { // of a worktree or a submodule
		text, err := dist.ReadFile(p, maxFact)
		if err != nil {
			return git{}, err
		}
		to, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
		if !ok {
			return git{}, fmt.Errorf("got %.100q in %q, want \"gitdir: DIRECTORY\"", text, p)
		}
		p = inDir(dir, to)
	}
	g := git{p, p}
	if text, err := dist.ReadFile(filepath.Join(p, "commondir"), maxFact); err == nil {
		g.common = inDir(p, strings.TrimSpace(string(text)))
	}
	return g, nil
}

// inDir returns a path that is relative to dir, or absolute.
func inDir(dir, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}

// head returns the hash that HEAD leads to.
func (g git) head() (string, error) {
	text, err := dist.ReadFile(filepath.Join(g.dir, "HEAD"), maxFact)
	if err != nil {
		return "", err
	}
	at := strings.TrimSpace(string(text))
	for range 5 { // links of a reference to another one
		ref, isRef := strings.CutPrefix(at, "ref: ")
		switch {
		case !isRef && isHash(at):
			return at, nil
		case !isRef:
			return "", fmt.Errorf("got %.100q for HEAD, want a hash", at)
		case !filepath.IsLocal(ref) || !strings.HasPrefix(ref, "refs/"):
			return "", fmt.Errorf("got reference %.100q, want refs/NAME", ref)
		}
		if at, err = g.ref(ref); err != nil {
			return "", err
		}
	}
	return "", errors.New("HEAD leads over too many references")
}

// ref returns the content of a reference.
func (g git) ref(ref string) (string, error) {
	for _, dir := range []string{g.dir, g.common} {
		text, err := dist.ReadFile(filepath.Join(dir, filepath.FromSlash(ref)), maxFact)
		if err == nil {
			return strings.TrimSpace(string(text)), nil
		}
	}
	text, err := dist.ReadFile(filepath.Join(g.common, "packed-refs"), maxRefs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for line := range bytes.Lines(text) {
		if hash, name, ok := strings.Cut(strings.TrimSpace(string(line)), " "); ok && name == ref {
			return hash, nil
		}
	}
	return "", fmt.Errorf("reference %.100q has no commit", ref)
}

// object returns the content of a commit, which lies in a file of its own or in a pack.
func (g git) object(hash string) ([]byte, error) {
	f, err := dist.OpenFile(filepath.Join(g.common, "objects", hash[:2], hash[2:]))
	if err == nil {
		defer f.Close()
		text, err := inflate(f)
		if err != nil {
			return nil, err
		}
		head, content, ok := bytes.Cut(text, []byte{0})
		if !ok || !bytes.HasPrefix(head, []byte("commit ")) {
			return nil, fmt.Errorf("got an object that begins with %.20q, want a commit", head)
		}
		return content, nil
	}
	packs, err := filepath.Glob(filepath.Join(quoteGlob(g.common), "objects", "pack", "*.idx"))
	if err != nil {
		return nil, err
	}
	for _, idx := range packs {
		off, ok, err := findInPack(idx, hash)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", filepath.Base(idx), err)
		}
		if ok {
			return readPacked(strings.TrimSuffix(idx, ".idx")+".pack", off)
		}
	}
	return nil, errors.New("git does not have it here")
}

// quoteGlob keeps [filepath.Glob] from taking a path for a pattern.
func quoteGlob(p string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(p)
}

func inflate(r io.Reader) ([]byte, error) {
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return dist.ReadAll(z, "the commit", maxCommit)
}

// findInPack looks an object up in the index of a pack, version 2 (gitformat-pack(5)),
// and returns its offset.
func findInPack(idx, hash string) (off int64, ok bool, err error) {
	want, err := hex.DecodeString(hash)
	if err != nil {
		return 0, false, err
	}
	f, err := dist.OpenFile(idx)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	const fanout = 8
	at := func(off int64, n int) []byte {
		b := make([]byte, n)
		if _, rerr := f.ReadAt(b, off); rerr != nil && err == nil {
			err = rerr
		}
		return b
	}
	if string(at(0, 8)) != "\xfftOc\x00\x00\x00\x02" {
		return 0, false, errors.Join(err, errors.New("got another format than version 2"))
	}
	number := func(off int64) int64 { return int64(binary.BigEndian.Uint32(at(off, 4))) }
	first, last, total := int64(0), number(fanout+4*int64(want[0])), number(fanout+4*255)
	if want[0] > 0 {
		first = number(fanout + 4*int64(want[0]-1))
	}
	if err != nil || first > last || last > total || total > maxIndex/24 {
		return 0, false, errors.Join(err, errors.New("got a malformed table"))
	}
	hashes := int64(fanout + 4*256)
	i := first + int64(sort.Search(int(last-first), func(i int) bool {
		return bytes.Compare(at(hashes+20*(first+int64(i)), 20), want) >= 0
	}))
	if i == last || !bytes.Equal(at(hashes+20*i, 20), want) {
		return 0, false, err
	}
	offsets := hashes + total*24 // behind the hashes and the checksums
	if off = number(offsets + 4*i); off>>31 != 0 {
		off = int64(binary.BigEndian.Uint64(at(offsets+4*total+8*(off&(1<<31-1)), 8)) & (1<<62 - 1))
	}
	return off, err == nil, err
}

// readPacked reads the commit at an offset of a pack.
func readPacked(pack string, off int64) ([]byte, error) {
	f, err := dist.OpenFile(pack)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(io.NewSectionReader(f, off, maxCommit))
	b, err := in.ReadByte()
	if err != nil {
		return nil, err
	}
	kind := b >> 4 & 7
	for b&0x80 != 0 { // the size, which inflating tells, too
		if b, err = in.ReadByte(); err != nil {
			return nil, err
		}
	}
	const commit, ofsDelta, refDelta = 1, 6, 7
	switch kind {
	case commit:
		return inflate(in)
	case ofsDelta, refDelta:
		return nil, errDelta
	}
	return nil, fmt.Errorf("got an object of kind %d, want a commit", kind)
}

// commitDay returns the day of a commit, by the clock of who made it.
func commitDay(text []byte) (string, error) {
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		if len(words) == 0 {
			break // the message comes now
		}
		if words[0] != "committer" || len(words) < 3 {
			continue
		}
		seconds, err1 := strconv.ParseInt(words[len(words)-2], 10, 64)
		zone, err2 := strconv.Atoi(words[len(words)-1])
		if err := errors.Join(err1, err2); err != nil {
			return "", fmt.Errorf("got %.100q, want a time", line)
		}
		offset := zone/100*3600 + zone%100*60
		return time.Unix(seconds, 0).In(time.FixedZone("", offset)).Format(time.DateOnly), nil
	}
	return "", errors.New("got a commit without a committer")
}

func isHash(s string) bool { return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == "" }

func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
