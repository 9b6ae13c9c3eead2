package conformance

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"x.go/tests/testenv"
)

// generated are the scenarios about the commands that make packages: those that must
// succeed, then the last. Each runs in a directory with the directories image1, image3
// and work/image.
var generated = []struct {
	name string
	runs []string
	code int
	out  string // files in the directory out
	work string // directories in the directory work
}{
	{name: "combined_remains", runs: []string{generate("1", "rustc", "gz"), generate("3", "cargo", "gz"), combine("gz", "gz", "gz")},
		out: "cargo.tar.gz rust.tar.gz rustc.tar.gz", work: "cargo image rust rustc"},
	{name: "combine_installers_different_input_compression_formats",
		runs: []string{generate("1", "rustc", "xz"), generate("3", "cargo", "gz"), combine("xz", "gz", "gz,xz")},
		out:  "cargo.tar.gz rust.tar.gz rust.tar.xz rustc.tar.xz", work: "cargo image rust rustc"},
	{name: "generate_compression_formats_one", runs: []string{generate("1", "rustc", "xz")}, out: "rustc.tar.xz", work: "image rustc"},
	{name: "generate_compression_formats_multiple", runs: []string{generate("1", "rustc", "gz,xz")}, out: "rustc.tar.gz rustc.tar.xz", work: "image rustc"},
	{name: "generate_compression_formats_error", runs: []string{generate("1", "rustc", "xz,foobar")}, code: 2, work: "image"},
	{name: "combine_compression_formats_one", runs: []string{generate("1", "rustc", "gz"), generate("3", "cargo", "gz"), combine("gz", "gz", "xz")},
		out: "cargo.tar.gz rust.tar.xz rustc.tar.gz", work: "cargo image rust rustc"},
	{name: "combine_compression_formats_multiple", runs: []string{generate("1", "rustc", "gz"), generate("3", "cargo", "gz"), combine("gz", "gz", "xz,gz")},
		out: "cargo.tar.gz rust.tar.gz rust.tar.xz rustc.tar.gz", work: "cargo image rust rustc"},
	{name: "combine_compression_formats_error", runs: []string{generate("1", "rustc", "gz"), generate("3", "cargo", "gz"), combine("gz", "gz", "xz,foobar")}, code: 2,
		out: "cargo.tar.gz rustc.tar.gz", work: "cargo image rustc"},
	{name: "tarball_compression_formats_one", runs: []string{"tarball --input image --work-dir work --output out/rustc --compression-profile fast --compression-formats xz"},
		out: "rustc.tar.xz", work: "image"},
	{name: "tarball_compression_formats_multiple", runs: []string{"tarball --input image --work-dir work --output out/rustc --compression-profile fast --compression-formats xz,gz"},
		out: "rustc.tar.gz rustc.tar.xz", work: "image"},
	{name: "tarball_compression_formats_error", runs: []string{"tarball --input image --work-dir work --output out/rustc --compression-formats xz,foobar"}, code: 2, work: "image"},
	{name: "backslash in a name", runs: []string{`generate --image-dir odd\name --work-dir work --output-dir out`}, code: 1, work: "image"},

	// These are tests of their own below.
	{name: "uninstall_from_installed_script_with_args_fails"}, {name: "cannot_write_error"}, {name: "create_log"},
	{name: "leave_log_after_failure"}, {name: "CDPATH_does_not_destroy_things"},
}

func generate(image, name, formats string) string {
	return "generate --image-dir image" + image + " --work-dir work --output-dir out --package-name " + name + " --component-name=" + name +
		" --compression-profile=fast --compression-formats " + formats
}

func combine(rustc, cargo, formats string) string {
	return "combine --work-dir work --output-dir out --package-name rust --input-tarballs out/rustc.tar." + rustc + ",out/cargo.tar." + cargo +
		" --compression-profile=fast --compression-formats " + formats
}

func TestGenerated(t *testing.T) {
	for _, tt := range generated {
		if tt.runs == nil {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, files := range map[string]string{"image1": image1, "image3": image3, "work/image": image1, `odd\name`: `bin/a\b`} {
				writeFiles(t, filepath.Join(dir, name), files, "")
			}
			testenv.Must(t, os.MkdirAll(filepath.Join(dir, "out"), 0o755))
			for i, line := range tt.runs {
				err := generator(t, dir, strings.Fields(line)...)
				code := 0
				if exit := (*exec.ExitError)(nil); err != nil {
					if !errors.As(err, &exit) {
						t.Fatal(err)
					}
					code = exit.ExitCode()
				}
				want := 0
				if i == len(tt.runs)-1 {
					want = tt.code
				}
				if code != want {
					t.Fatalf("%s: got status %d, want %d: %v", line, code, want, err)
				}
			}
			if diff := cmp.Diff(strings.Fields(tt.out), testenv.List(t, filepath.Join(dir, "out")), cmpopts.EquateEmpty()); diff != "" && tt.code != 1 {
				t.Errorf("out (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(strings.Fields(tt.work), testenv.List(t, filepath.Join(dir, "work"))); diff != "" && tt.code != 1 {
				t.Errorf("work (-want +got):\n%s", diff)
			}
		})
	}
}
