package install

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// repair restores components, and holds that what it found is not lost: every content
// that was there and is no longer in its place is in a backup.
func repair(t *testing.T, opts Options, components []dist.Component) Installed {
	t.Helper()
	opts.Repair, opts.Uninstaller = true, uninstaller(t)
	done, err := Run(t.Context(), opts, components)
	testenv.Must(t, err)
	return done
}

// TestRepair damages an installation and repairs it. The tree is then that of before, but
// for extra files, which stay, and backups.
func TestRepair(t *testing.T) {
	for _, tt := range damages {
		if strings.HasPrefix(tt.name, "link out") {
			continue // what leads out cannot be repaired from here
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prefix, components := installedSample(t)
			clean := testenv.Tree(t, prefix)
			tt.change(t, func(name string) string { return filepath.Join(prefix, name) })
			before := testenv.Tree(t, prefix)
			was := inspect(t, prefix, components)
			wrong := len(was.Of(Changed, Missing, WrongMode, WrongKind, WrongRecords))
			planned := repair(t, Options{Prefix: prefix, DryRun: true}, components)
			if diff := cmp.Diff(before, testenv.Tree(t, prefix)); diff != "" {
				t.Errorf("a dry run changed (-before +after):\n%s", diff)
			}
			done := repair(t, Options{Prefix: prefix}, components)
			if diff := cmp.Diff(done, planned); diff != "" {
				t.Errorf("a dry run says something else (-run +dry run):\n%s", diff)
			}
			if wrong > 0 && len(done.Repaired) == 0 || len(was.Problems) == 0 && len(done.Repaired) > 0 {
				t.Errorf("%d places were wrong, and %d repaired: %+v", wrong, len(done.Repaired), done.Repaired)
			}
			after := testenv.Tree(t, prefix)
			for name, want := range clean {
				if after[name] != want {
					t.Errorf("%s: got %.200q, want %.200q", name, after[name], want)
				}
			}
			kept := slices.Collect(maps.Values(after))
			for name, content := range before {
				// Records are no files of the user's, and a mode is restored.
				text := content[strings.Index(content, " ")+1:]
				if !strings.HasPrefix(name, "lib/rustlib/") && !slices.ContainsFunc(kept, func(k string) bool { return strings.HasSuffix(k, text) }) {
					t.Errorf("%s: its content %.200q is lost", name, content)
				}
			}
			s := inspect(t, prefix, nil)
			for _, p := range s.Problems {
				if p.Kind != Extra {
					t.Errorf("after the repair: %+v", p)
				} else if !slices.Contains(done.Extra, p.Path) {
					t.Errorf("extra file %q was not told: %q", p.Path, done.Extra)
				}
			}
			again := repair(t, Options{Prefix: prefix}, components)
			if diff := cmp.Diff(after, testenv.Tree(t, prefix)); diff != "" || again.Unchanged != len(again.Files) {
				t.Errorf("a second repair changed %d of %d files (-before +after):\n%s", len(again.Files)-again.Unchanged, len(again.Files), diff)
			}
		})
	}
}

// TestInspectRecorded compares with the digests that Run has left.
func TestInspectRecorded(t *testing.T) {
	for _, tt := range damages {
		if strings.Contains(tt.name, "list") || strings.HasPrefix(tt.name, "link out") {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prefix, _ := installedSample(t)
			tt.change(t, func(name string) string { return filepath.Join(prefix, name) })
			got := summary(prefix, inspect(t, prefix, nil))
			// The directories are recorded, too.
			got = slices.DeleteFunc(got, func(line string) bool {
				return strings.HasSuffix(line, "want a directory") && !slices.Contains(tt.want, line)
			})
			wantLines(t, tt.want, got)
		})
	}
	stale := []struct {
		name, want string
		change     func(t *testing.T, record string)
	}{
		{"missing", "there is no record of digests", func(t *testing.T, record string) { testenv.Must(t, os.Remove(record)) }},
		{"cut", "was cut", func(t *testing.T, record string) { testenv.Must(t, os.Truncate(record, 100)) }},
		{"edited", "want", func(t *testing.T, record string) { rewrite(t, record, func(b []byte) { b[len(b)-100]++ }) }},
		{"of another component", "got component", func(t *testing.T, record string) {
			testenv.Must(t, os.Rename(filepath.Join(filepath.Dir(record), "digests-rust-docs"), record))
		}},
		{"of another list", "something else has installed the component since", func(t *testing.T, record string) {
			list := filepath.Join(filepath.Dir(record), "manifest-rustc")
			data, err := os.ReadFile(list)
			testenv.Must(t, err)
			lines := strings.SplitAfter(string(data), "\n")
			write(t, list, lines[1]+lines[0]+lines[2], 0o644)
		}},
		{"a link", "it is a symbolic link", func(t *testing.T, record string) {
			testenv.Must(t, os.Rename(record, record+".x"))
			testenv.Must(t, os.Symlink(filepath.Base(record)+".x", record))
		}},
	}
	for _, tt := range stale {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prefix, _ := installedSample(t)
			tt.change(t, filepath.Join(prefix, "lib/rustlib/digests-rustc"))
			s := inspect(t, prefix, nil)
			i := slices.IndexFunc(s.Problems, func(p Problem) bool { return p.Component == "rustc" })
			if i < 0 || s.Problems[i].Kind != Unknown || !strings.Contains(s.Problems[i].Detail, tt.want) {
				t.Errorf("got %+v, want an unknown component and %q", s.Problems, tt.want)
			}
		})
	}
}

// TestRepairRustup repairs a toolchain with rustup's records, which stay as they were.
func TestRepairRustup(t *testing.T) {
	prefix, components := installedSample(t)
	likeRustup(t, prefix, components)
	clean := testenv.Tree(t, prefix)
	for _, tt := range damages {
		switch tt.name {
		case "changed, longer", "missing directory", "link for a directory":
			tt.change(t, func(name string) string { return filepath.Join(prefix, name) })
		}
	}
	done := repair(t, Options{Prefix: prefix}, components)
	after := testenv.Tree(t, prefix)
	maps.DeleteFunc(after, func(name, _ string) bool { _, ok := clean[name]; return !ok })
	if diff := cmp.Diff(clean, after); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if len(done.Backups) != 2 {
		t.Errorf("got backups %q, want those of the program and the link", done.Backups)
	}
	if left, err := filepath.Glob(filepath.Join(prefix, "lib/rustlib", manifests.DigestsPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("got digests %q, %v: rustup would not keep them up to date", left, err)
	}
}

func TestRepairErrors(t *testing.T) {
	_, components := installedSample(t)
	other := slices.Clone(components)
	other[0].Image = image(t, "bin/rustc*", "lib/librustc_driver.so", "lib/rustlib/etc/lldb.py")
	changed := slices.Clone(components)
	var img dist.Image
	testenv.Must(t, img.AddBytes("bin/rustc", []byte("another build"), dist.ModeExec))
	for _, name := range []string{"lib/librustc_driver.so", "lib/rustlib/etc/gdb.py"} {
		e, _ := components[0].Image.Lookup(name)
		testenv.Must(t, img.AddBytes(name, []byte(name), e.Mode))
	}
	changed[0].Image = img
	noDigests := func(t *testing.T, prefix string) {
		testenv.Must(t, os.Remove(filepath.Join(prefix, "lib/rustlib/digests-rustc")))
	}
	for _, tt := range []struct {
		name       string
		change     func(t *testing.T, prefix string)
		components []dist.Component
		want       string
	}{
		{"nothing installed", func(t *testing.T, prefix string) { testenv.Must(t, os.RemoveAll(prefix)) }, components, "nothing is installed here"},
		{"others installed", func(*testing.T, string) {}, []dist.Component{{Name: "cargo", Image: image(t, "bin/cargo*")}}, "none of the components is installed here"},
		{"another build", func(*testing.T, string) {}, changed, `of another build than what is installed: it has another`},
		{"other files", noDigests, other, `of another build than what is installed: it has another`},
		{"version", func(t *testing.T, prefix string) {
			write(t, filepath.Join(prefix, "lib/rustlib/rust-installer-version"), "4\n", 0o644)
		}, components, `got installed version "4"`},
		{"link that leads out", func(t *testing.T, prefix string) {
			testenv.Must(t, os.Rename(prefix+"/share", prefix+".share"))
			testenv.Must(t, os.Symlink(prefix+".share", prefix+"/share"))
		}, components, `/share" leads out of `},
		{"FIFO in the place of a record", func(t *testing.T, prefix string) {
			list := filepath.Join(prefix, "lib/rustlib/components")
			testenv.Must(t, os.Remove(list))
			testenv.Must(t, os.Mkdir(list, 0o755))
		}, components, "it is a directory, want a regular file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prefix, _ := installedSample(t)
			tt.change(t, prefix)
			before := map[string]string{}
			if _, err := os.Stat(prefix); err == nil {
				before = testenv.Tree(t, prefix)
			}
			for _, dry := range []bool{true, false} {
				_, err := Run(t.Context(), Options{Prefix: prefix, Repair: true, DryRun: dry}, tt.components)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("dry run %v: got error %v, want %q", dry, err, tt.want)
				}
			}
			after := map[string]string{}
			if _, err := os.Stat(prefix); err == nil {
				after = testenv.Tree(t, prefix)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

// TestRepairIsOlderThanList has uninstall.sh remove a file that was mended in a
// directory: what is newer than the list is the user's for it. Lists of other makers have
// files before directories.
func TestRepairIsOlderThanList(t *testing.T) {
	b := newBox(t)
	members := linkPackage("")
	members[5] = "file:bin/tool\ndir:doc\n"
	b.tree(members)
	_, err := RunFrom(t.Context(), b.opts, b.from)
	testenv.Must(t, err)
	for _, name := range []string{"p/lib/rustlib/manifest-tool", "p/doc/page"} {
		testenv.Must(t, os.Chtimes(b.path(name), time.Time{}, time.Now().Add(-time.Hour)))
	}
	put(t, b.path("p/doc/page"), "damaged")
	b.opts.Repair = true
	_, err = RunFrom(t.Context(), b.opts, b.from)
	testenv.Must(t, err)
	list, err := os.Stat(b.path("p/lib/rustlib/manifest-tool"))
	testenv.Must(t, err)
	page, err := os.Stat(b.path("p/doc/page"))
	testenv.Must(t, err)
	if page.ModTime().After(list.ModTime()) {
		t.Errorf("the page is of %v, the list of %v", page.ModTime(), list.ModTime())
	}
}
