package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// TestReadGit asks git for the commit and its day in every way in which git may keep
// them, and compares.
func TestReadGit(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "a [b] * repo")
	runGit(t, dir, "init", "-q", "-b", "main", repo)
	for i := range 12 { // alike, so that git stores them as differences
		testenv.Must(t, os.WriteFile(filepath.Join(repo, "file"), fmt.Append(nil, i), 0o644))
		runGit(t, repo, "add", "file")
		runGit(t, repo, "commit", "-q", "-m", strings.Repeat(fmt.Sprintf("what all commits say, line %d\n", i/6), 40), "--date", "2001-01-01T00:00:00Z")
	}
	same := func(what, dir string) {
		t.Helper()
		got, err := readGit(dir)
		want := runGit(t, dir, "log", "-1", "--date=short", "--pretty=format:%H %cd")
		if have := got.CommitHash + " " + got.CommitDate; err != nil || have != want {
			t.Errorf("%s: got %q, %v, want %q", what, have, err, want)
		}
	}
	same("files of their own", repo)
	runGit(t, repo, "worktree", "add", "-q", "../tree", "HEAD~3")
	same("a worktree", filepath.Join(dir, "tree"))
	runGit(t, repo, "tag", "-a", "-m", "a tag", "1.0")
	runGit(t, repo, "pack-refs", "--all")
	same("packed references", repo)
	runGit(t, repo, "-c", "pack.window=250", "repack", "-q", "-a", "-d", "-f", "--depth=50")
	same("a pack", repo)
	packs, _ := filepath.Glob(filepath.Join(quoteGlob(repo), ".git/objects/pack/*.idx"))
	if len(packs) != 1 {
		t.Fatalf("got packs %q, want one", packs)
	}
	differences := 0
	for line := range strings.Lines(runGit(t, repo, "verify-pack", "-v", packs[0])) {
		if f := strings.Fields(line); len(f) > 5 && f[1] == "commit" {
			differences++
		}
	}
	if differences == 0 {
		t.Error("git has stored no commit as a difference: they are not tested")
	}
	for i := range 12 {
		runGit(t, repo, "checkout", "-q", fmt.Sprintf("main~%d", i))
		same(fmt.Sprintf("commit %d of a pack", i), repo)
	}
	runGit(t, dir, "clone", "-q", "--shared", repo, "borrower")
	same("borrowed objects", filepath.Join(dir, "borrower"))
	runGit(t, dir, "clone", "-q", "--depth=1", "file://"+repo, "shallow")
	same("a shallow clone", filepath.Join(dir, "shallow"))
}

// runGit runs git, as nobody in particular, and returns what it prints.
func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, "git"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "GIT_COMMITTER_DATE=2020-02-29T23:30:00-0800")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// FuzzApplyDelta has differences of strangers be errors, within bounds.
func FuzzApplyDelta(f *testing.F) {
	f.Add([]byte("base"), []byte("\x04\x03\x90\x02\x01x"))
	f.Add([]byte("base"), []byte("\x04\x01\xff"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		out, err := applyDelta(base, delta)
		if err != nil && !errors.Is(err, errDelta) {
			t.Error(err)
		}
		_, n := binary.Uvarint(delta)
		if size, _ := binary.Uvarint(delta[max(0, n):]); err == nil && uint64(len(out)) != size {
			t.Errorf("got %d bytes, want %d", len(out), size)
		}
	})
	if out, err := applyDelta([]byte("base"), []byte("\x04\x03\x90\x02\x01x")); err != nil || !bytes.Equal(out, []byte("bax")) {
		f.Errorf("got %q, %v, want \"bax\"", out, err)
	}
}
