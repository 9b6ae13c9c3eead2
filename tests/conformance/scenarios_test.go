package conformance

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
)

func later() time.Time { return time.Now().Add(time.Minute) }

// step is a line of a scenario.
type step struct {
	do   string   // install, uninstall, uninstall.sh, use N, or a change
	args []string // more arguments, which may hold blanks
	code int
	says string   // the output has it, if install.sh runs
	tree []string // files below "~" that no installer has for itself, "*" after executable ones, " -> TARGET" after links
	has  string   // installed components
}

// scenario is a row of the table. Unless its steps say so, all is installed below ~/p.
type scenario struct {
	name  string
	pkgs  []pkg  // the first is in use
	every bool   // in every shell: the shells may differ
	sh    string // why install.sh alone can do it
	peer  string // how rust-installer's install.sh differs
	x     string // how x differs
	steps []step
}

// in returns the names of files, which "|" separates, below dir.
func in(dir, files string) []string {
	names := strings.Split(files, "|")
	for i := range names {
		names[i] = dir + "/" + names[i]
	}
	return names
}

// check compares what is there with what a step says.
func (s step) check(m *machine) {
	m.t.Helper()
	var got, manifests []string
	components := ""
	for name, text := range m.snapshot() {
		mode, content, _ := strings.Cut(text, " ")
		switch {
		case record(name) && filepath.Base(name) == "components":
			components = strings.Join(strings.Fields(content), " ")
		case record(name):
			if manifest, ok := strings.CutPrefix(filepath.Base(name), "manifest-"); ok {
				manifests = append(manifests, manifest)
			}
		default:
			switch {
			case mode == "-rwxr-xr-x":
				name += "*"
			case strings.HasPrefix(mode, "L"):
				name += " -> " + content
			}
			got = append(got, name)
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(s.tree))
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Errorf("%s: files (-want +got):\n%s", s.do, diff)
	}
	slices.Sort(manifests)
	if diff := cmp.Diff(s.has, components); diff != "" {
		m.t.Errorf("%s: components (-want +got):\n%s", s.do, diff)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(strings.Fields(s.has))), manifests); diff != "" {
		m.t.Errorf("%s: manifests (-want +got):\n%s", s.do, diff)
	}
}

// play runs the scenario and returns what was there after each step.
func (s scenario) play(m *machine) []map[string]string {
	m.t.Helper()
	m.pkg = s.pkgs[0]
	var all []map[string]string
	for _, st := range s.steps {
		words := append(strings.Fields(st.do), st.args...)
		switch words[0] {
		case "use":
			m.pkg = s.pkgs[int(words[1][0]-'0')]
			continue
		case "install", "uninstall", "uninstall.sh":
		default:
			m.change(words)
			continue
		}
		code, out := m.run(words[0], words[1:])
		if code != st.code {
			m.t.Errorf("%q: got status %d, want %d\n%s", words, code, st.code, out)
		}
		if m.by.argv != nil && !strings.Contains(out, st.says) {
			m.t.Errorf("%q: got %q, want %q in it", words, out, st.says)
		}
		st.check(m)
		all = append(all, m.snapshot())
	}
	return all
}

func TestScenarios(t *testing.T) {
	// x that installs archives can also uninstall.
	native := runx.X(t, t.TempDir(), nil, "uninstall", "--help").Code == 0
	for i, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if upstream() != "" && s.peer != "" {
				return
			}
			var first []map[string]string
			for _, by := range shellsOf(i, s.every) {
				t.Run(by.name, func(t *testing.T) {
					first = s.play(newMachine(t, by))
				})
			}
			if s.sh != "" || s.x != "" || upstream() != "" || !native {
				return
			}
			t.Run("x", func(t *testing.T) {
				got := s.play(newMachine(t, installer{name: "x"}))
				for i := range min(len(first), len(got)) {
					if diff := cmp.Diff(first[i], got[i]); diff != "" {
						t.Errorf("run %d (-install.sh +x):\n%s", i, diff)
					}
				}
			})
		})
	}
}

// names are those of the tests in rust-installer's test.sh.
var names = strings.Fields(`
	basic_install basic_uninstall not_installed_files tarball_with_package_name install_overwrite_backup bulk_directory
	bulk_directory_overwrite bulk_directory_overwrite_existing_backup nested_bulk_directory only_bulk_directory_no_files
	nested_not_installed_files multiple_components uninstall_from_installed_script
	uninstall_from_installed_script_with_args_fails combine_installers combine_three_installers
	combine_installers_with_overlay combined_with_bulk_dirs combine_install_with_separate_uninstall
	select_components_to_install select_components_to_uninstall invalid_component without_components
	uninstall_without_components without_any_components uninstall_without_any_components list_components combined_remains
	cannot_write_error cannot_install_to_installer upgrade_from_future_installer_error destdir destdir_no_trailing_slash
	disable_verify_noop create_log leave_log_after_failure help CDPATH_does_not_destroy_things docdir_default docdir
	docdir_combined combine_installers_different_input_compression_formats generate_compression_formats_one
	generate_compression_formats_multiple generate_compression_formats_error combine_compression_formats_one
	combine_compression_formats_multiple combine_compression_formats_error tarball_compression_formats_one
	tarball_compression_formats_multiple tarball_compression_formats_error`)

func TestNames(t *testing.T) {
	have := map[string]bool{}
	for _, s := range scenarios {
		if have[s.name] {
			t.Errorf("two scenarios are called %s", s.name)
		}
		have[s.name] = true
	}
	for _, s := range generated {
		have[s.name] = true
	}
	for _, name := range names {
		if !have[name] {
			t.Errorf("no scenario is called %s", name)
		}
	}
	if len(names) != 51 {
		t.Errorf("got %d names, want 51", len(names))
	}
}
