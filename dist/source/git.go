package source

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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

// object returns the content of a commit, which lies in a file of its own or in a pack,
// here or in a repository whose objects this one borrows.
func (g git) object(hash string) ([]byte, error) {
	for _, dir := range g.objectDirs() {
		f, err := dist.OpenFile(filepath.Join(dir, hash[:2], hash[2:]))
		if err == nil {
			defer f.Close()
			return loose(f)
		}
		packs, err := filepath.Glob(filepath.Join(quoteGlob(dir), "pack", "*.idx"))
		if err != nil {
			return nil, err
		}
		for _, idx := range packs {
			off, ok, err := findInPack(idx, hash)
			if err == nil && ok {
				return readPacked(strings.TrimSuffix(idx, ".idx"), off)
			}
			if err != nil {
				return nil, fmt.Errorf("reading %q: %w", filepath.Base(idx), err)
			}
		}
	}
	return nil, errors.New("git does not have it here")
}

// objectDirs returns the directories of objects: that of the repository, and those that
// it borrows, as after git clone --shared (gitrepository-layout(5)).
func (g git) objectDirs() []string {
	dirs := []string{filepath.Join(g.common, "objects")}
	const most = 50 // of borrowing, one from another
	for i := 0; i < len(dirs) && len(dirs) < most; i++ {
		text, err := dist.ReadFile(filepath.Join(dirs[i], "info", "alternates"), maxFact)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				dirs = append(dirs, inDir(dirs[i], line))
			}
		}
	}
	return dirs
}

// loose returns the content of the commit in a file of its own.
func loose(r io.Reader) ([]byte, error) {
	text, err := inflate(r)
	if err != nil {
		return nil, err
	}
	head, content, ok := bytes.Cut(text, []byte{0})
	if !ok || !bytes.HasPrefix(head, []byte("commit ")) {
		return nil, fmt.Errorf("got an object that begins with %.20q, want a commit", head)
	}
	return content, nil
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
