package tests

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/archive"
	"x.go/dist/installsh"
	"x.go/tests/testenv"
)

// installerVar names a rust-installer to compare with: each case that is not marked as
// different runs it, too.
const installerVar = "X_TEST_RUST_INSTALLER"

// installerCase is a list of command lines of x installer in one directory.
type installerCase struct {
	name  string
	files []string // as for testenv.WriteTree
	runs  []string // one command line each, split at blanks; "~" stands for a blank
	tree  bool     // what is left is part of the answer
	// differs says that rust-installer does something else, named in the comment of
	// package dist/installer, so that it is no judge.
	differs bool
}

// image is what most cases install.
var image = []string{"install_image/bin/prog*", "install_image/share/doc/a b.html", "install_image/share/doc/deep/c.html", "install_image/lib/empty/",
	"install_image/bin/link -> prog", "install_image/lib/dangling -> /nowhere", "overlay/version", "overlay/sub/note"}

var installerCases = []installerCase{
	{name: "defaults", files: image, runs: []string{"generate"}, tree: true},
	{name: "flags", files: append([]string{"in/etc/conf", "in/share/x:y"}, image...), tree: true, runs: []string{
		"generate --product-name My-Product --component-name=part --package-name=part-1.0 --rel-manifest-dir rustlib --success-message=It's-done. --legacy-manifest-dirs=rustlib,cargo --non-installed-overlay overlay --bulk-dirs share/doc/,lib//empty,nope,./bin --image-dir=./install_image --work-dir=w --output-dir=out/dist --compression-profile fast --compression-formats=gz --override-file-mtime=0",
		// The next run removes what was there.
		"generate --image-dir in --component-name part --package-name part-1.0 --work-dir w --output-dir out/dist --compression-formats gz --compression-profile best --override-file-mtime 1700000000",
	}},
	{name: "combine", files: append([]string{"two/bin/two*"}, image...), tree: true, runs: []string{
		"generate --component-name a --package-name a-1.0 --compression-formats xz --bulk-dirs=share/doc",
		"generate --component-name b --package-name b-1.0 --image-dir two --compression-formats gz",
		"combine --input-tarballs ~dist/b-1.0.tar.gz,~,./dist/a-1.0.tar.xz, --package-name both --non-installed-overlay=overlay --compression-formats=gz",
		"combine --package-name none --compression-formats=gz",
		"combine --package-name again --input-tarballs=dist/both.tar.gz --compression-formats=gz",
	}},
	{name: "tarball", files: []string{"workdir/package/a*", "workdir/package/d/b", "workdir/package/l -> d/b", "workdir/one", "w/p/deep/er/c", "sub/"}, tree: true, runs: []string{
		"tarball", "tarball --input one --output=./sub/one --compression-formats gz,~gz", "tarball --input deep --work-dir w/p/ --output=sub/p.q --compression-formats gz --override-file-mtime 7",
		"tarball --work-dir $DIR/w --input $DIR/w/p --output sub/abs --compression-formats=gz",
	}},
	{name: "no-op", files: image, tree: true, runs: []string{
		"generate --compression-profile no-op", "combine --compression-profile=no-op --package-name none", "tarball --compression-profile no-op --input nothing --output no/where",
	}},
	{name: "script", files: []string{"sub/"}, tree: true, runs: []string{"script", "script --output-script sub/install.sh --product-name a-b's --success-message=-$(c)~`d`-", "script", "script --output-script no/s.sh"}},
	{name: "failures", files: append([]string{"two/x", "bin/component/", "bin/install.sh", `back/a\b`, "odd/\xff", "file", "a.zip", "dist/old.tar.gz/", "with/install.sh"}, image...), runs: []string{
		"generate --image-dir nope", "generate --non-installed-overlay nope", "generate --non-installed-overlay with", "generate --non-installed-overlay bin",
		"generate --image-dir back", "generate --image-dir odd", "generate --package-name a/b", "generate --package-name old", "generate --work-dir file", "generate --output-dir file",
		"combine --input-tarballs a.zip", "combine --input-tarballs none.tar.gz", "combine --input-tarballs=dist/none.tar.xz",
		"tarball --input nope", "tarball --input $DIR/image", "tarball --output no/where --input nope",
		"generate --component-name a --package-name p --compression-formats=gz", "combine --input-tarballs dist/p.tar.gz,dist/p.tar.gz",
		"generate --component-name components", "generate --component-name install.sh",
	}},
	{name: "usage", runs: []string{
		"", "generate --frob", "generate --work-dir w --frob=1", "generate --image-dir a --image-dir=b", "generate --image-dir", "generate --image-dir --work-dir",
		"generate --image-dir -x", "generate -x", "generate word", "generate -- word", "generate --compression-formats xz,foobar", "generate --compression-formats=", "combine --bulk-dirs a",
		"tarball --compression-profile tiny", "combine --override-file-mtime x", "combine --override-file-mtime=", "combine --override-file-mtime=-1", "combine --override-file-mtime 99999999999999999999",
		"script --output-script", "script --help=1", "scrpt", "frob", "help frob", "--frob", "generate --json", "generate --image-dirr x",
	}},
	{name: "overlay-replaces-records", files: append([]string{"c/components", "v/rust-installer-version"}, image...), differs: true, runs: []string{
		"generate --non-installed-overlay c", "generate --non-installed-overlay v", "combine --non-installed-overlay c",
	}},
	{name: "image-with-manifest", files: []string{"install_image/manifest.in"}, differs: true, runs: []string{"generate"}},
	{name: "names-that-lead-away", files: append([]string{"keep/me", "workdir/keep"}, image...), tree: true, differs: true, runs: []string{
		"generate --package-name=..", "generate --package-name=", "generate --package-name=$DIR/keep", "generate --component-name=../../keep", "generate --component-name=a~b", "combine --package-name ../keep",
	}},
	{name: "inputs-in-the-way", files: []string{"workdir/package/bin/mine", "workdir/a/a.tar.gz", "img/x"}, tree: true, differs: true, runs: []string{
		"generate --image-dir workdir/package", "generate --image-dir .", "generate --image-dir img --non-installed-overlay workdir/package/bin",
		"combine --input-tarballs workdir/a/a.tar.gz", "combine --input-tarballs workdir/a/a.tar.gz --package-name a",
	}},
	{name: "records-directory", files: image, differs: true, runs: []string{
		"generate --rel-manifest-dir=a/b", "generate --rel-manifest-dir=", "script --rel-manifest-dir=$(touch~x)/..", "script --rel-manifest-dir=two~words",
	}},
	{name: "bulk-directory-that-is-a-file", files: image, tree: true, differs: true, runs: []string{"generate --bulk-dirs bin/prog --compression-profile no-op"}},
	{name: "image-that-is-a-file", files: []string{"install_image"}, differs: true, runs: []string{"generate"}},
	{name: "zst", files: image, tree: true, differs: true, runs: []string{
		"generate --component-name a --package-name a --compression-formats zst", "combine --input-tarballs dist/a.tar.zst --compression-formats=zst,gz,zst",
	}},
	{name: "no-archive", files: []string{"dist/bad.tar.gz", "dist/.tar.gz", "dist/dir.tar.gz/"}, differs: true, runs: []string{
		"combine --input-tarballs dist/bad.tar.gz", "combine --input-tarballs dist/.tar.gz", "combine --input-tarballs dist/dir.tar.gz",
	}},
}

// TestInstaller runs command lines of x installer and compares texts, exit statuses,
// trees and archives with those of testdata/installer, which rust-installer has given,
// but for the texts of wrong usage, which are those of its newer command line parser.
// With -update the files are written anew.
func TestInstaller(t *testing.T) {
	t.Parallel()
	for _, c := range installerCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := c.answer(t, true, "x", "installer")
			golden := filepath.Join("testdata", "installer", c.name+".txt")
			if *update {
				testenv.Must(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				testenv.Must(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			testenv.Must(t, err)
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if peer := os.Getenv(installerVar); peer != "" && !c.differs {
				if diff := cmp.Diff(c.answer(t, false, peer), c.answer(t, false, "x", "installer")); diff != "" {
					t.Errorf("rust-installer differs (-rust-installer +x):\n%s", diff)
				}
			}
		})
	}
}

// answer runs the command lines of c, in a new directory, with a program. usage says
// whether the texts of wrong usage are part of the answer.
func (c installerCase) answer(t *testing.T, usage bool, program ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(testenv.WriteTree(t, c.files...))
	testenv.Must(t, err)
	var b strings.Builder
	for _, line := range c.runs {
		fmt.Fprintf(&b, "$ %s\n", line)
		args := append([]string{}, program...)
		for _, word := range strings.Fields(strings.ReplaceAll(line, "$DIR", dir)) {
			args = append(args, strings.ReplaceAll(word, "~", " "))
		}
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = dir
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		status := cmd.ProcessState.ExitCode()
		if stdout.Len() > 0 {
			t.Errorf("%s: got %q on standard output, want nothing", line, stdout.String())
		}
		if status != 2 || usage {
			b.WriteString(strings.ReplaceAll(stderr.String(), dir, "$DIR"))
		}
		fmt.Fprintf(&b, "[status %d]\n\n", status)
	}
	if c.tree {
		b.WriteString(listTree(t, dir))
	}
	return b.String()
}

// listTree lists the files below dir: modes, links, the records of packages, and the
// members of archives.
func listTree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	testenv.Must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&b, "%v %s", info.Mode(), name)
		if target, err := os.Readlink(path); err == nil {
			b.WriteString(" -> " + target)
		}
		b.WriteString("\n")
		switch d.Name() {
		case "manifest.in", "components", "rust-installer-version":
			text, err := os.ReadFile(path)
			b.WriteString(indented(string(text)))
			return err
		case installsh.FileName:
			text, err := os.ReadFile(path)
			product, message := installsh.Words(text)
			b.WriteString(indented(product + ": " + message + "\n"))
			return err
		}
		if strings.Contains(d.Name(), ".tar.") && d.Type().IsRegular() {
			b.WriteString(indented(listArchive(t, path)))
		}
		return nil
	}))
	return b.String()
}

// indented puts a tab before each line.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("\t" + line)
	}
	return b.String()
}

// listArchive lists the members of an archive in their order. The size of install.sh,
// which is x's own, is left out.
func listArchive(t *testing.T, path string) string {
	t.Helper()
	in, err := archive.OpenTar(path, archive.Limits{})
	if err != nil {
		return "no archive\n"
	}
	defer in.Close()
	var b strings.Builder
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		testenv.Must(t, err)
		if filepath.Base(h.Name) == installsh.FileName {
			h.Size = 0
		}
		fmt.Fprintf(&b, "%c %o %d:%d %d %d %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Size, h.ModTime.Unix(), h.Name)
		if h.Linkname != "" {
			b.WriteString(" -> " + h.Linkname)
		}
		b.WriteString("\n")
	}
}
