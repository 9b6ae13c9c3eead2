package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"x.go/bootstrap/inventory"
	"x.go/bootstrap/marks"
	"x.go/dist/inspect"
	"x.go/targets"
)

func (a *app) inspectCommand() *cobra.Command {
	var failOn, root string
	var stock bool
	var host, release string
	cmd := &cobra.Command{
		Use:   "inspect file...",
		Short: "Tell who linked ELF files, or what a toolchain needs",
		Long: `Tell facts of executables, shared objects, objects and archives (.a, .rlib), and of
those in directories: the linker with its version, and how sure that is; functions
in .ctors and .dtors, which LLD does not run; GCC's LTO sections; the machine of each
member of an archive; whether and where each NEEDED library is found; RUNPATH; the
oldest glibc that has what is needed; RELRO and BIND_NOW; compressed debug sections;
lost symbol versions; sections behind __start_X and __stop_X that nothing keeps.

One file is told in full, several in a row each. Below a row is what is wrong with the
file, and what --fail-on names. In directories, files of other formats are left out, and
symbolic links are not followed. Nothing is run.

Words for --fail-on:
` + inspectWordsHelp() + `
"certain" is a linker that named itself in the file, "likely" is GNU ld, which never
does, "guess" is read from the order of tables alone.

With --inventory, the answer is which files of a toolchain each step of a build needs, as
JSON, for sandboxes, Bazel and Nix. Name a sysroot, an unpacked archive, or archives that
belong together:
  schema       1; changes if a field changes its meaning
  host, release, commit, targets[]
  facts[]      fact, value, how: how host, release and default linker are known
  files[]      path in the sysroot, size, executable, sha256, component, link:
               each file that a step names, once
  steps[]      step (compile, link, document, lint, format, cargo), target, and
               what is enough for it:
  .files[]     paths
  .linker      program, flavor, lld (toolchain, system or none), own
  .system      interpreters[], libraries[] (name, needed_by), glibc,
               programs[] (name, why), paths[]: what the machine has to bring
  .optional[]  when, files: what an option takes beside that
  .missing[]   name, needed_by: what belongs to the toolchain, and is not in the
               input
  .notes[]

With --json, the answer has:
  files[]      path, size, format, kind, machine, linker, version, sure,
               evidence, constructors, lto, needed, runpath, rpath, glibc,
               relro, bind_now, compressed, versions, encapsulation, foreign,
               members, ...
  .findings[]  word, text, members: what --fail-on can name, but glibc
  errors[]     as on stderr

Exit status: 0 done, 1 --fail-on found something, 2 wrong usage, or a file that is
missing, of another format, or malformed.`,
		Example: `  x inspect target/release/app
  x inspect libfoo.a libbar.so ~/.rustup/toolchains/stable-*
  x inspect --fail-on ctors,lto,unresolved,glibc=2.17 build/stage
  x inspect --inventory ~/.rustup/toolchains/stable-x86_64-unknown-linux-gnu
  x inspect --inventory build/dist/rustc-*.tar.xz build/dist/rust-std-*.tar.xz
  x inspect --root /srv/arm64-root --json /srv/arm64-root/usr/bin`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("got no file: name ELF files, archives or directories")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if stock {
				return a.inventory(cmd, args, host, release)
			}
			for _, flag := range []string{"host", "release"} {
				if cmd.Flags().Changed(flag) {
					return usagef("reading --%s: it is for --inventory", flag)
				}
			}
			var selected inspect.Selection
			if cmd.Flags().Changed("fail-on") {
				var err error
				if selected, err = inspect.Select(failOn); err != nil {
					return usagef("reading --fail-on: %w", err)
				}
			}
			o := inspect.Options{Jobs: a.flags.jobs}
			if root != "" {
				o.Root = a.path(root)
				if info, err := os.Stat(o.Root); err != nil || !info.IsDir() {
					return usagef("reading --root %q: it is no directory", root)
				}
			}
			return a.inspect(cmd, args, o, selected)
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "dry-run", "quiet", "verbose")
	cmd.Flags().StringVar(&failOn, "fail-on", "", "exit with status 1 if a file has one of these comma-separated `words`")
	cmd.Flags().BoolVar(&stock, "inventory", false, "say as JSON which files of a toolchain each step of a build needs")
	cmd.Flags().StringVar(&host, "host", "", "with --inventory, `triple` of a compiler whose files do not say it")
	cmd.Flags().StringVar(&release, "release", "", "with --inventory, `version` of a compiler whose files do not say it")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("host", completeTriples))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("release", completeReleases))
	cmd.Flags().StringVar(&root, "root", "", "look for libraries in this `directory` as if it were /")
	cmd.MarkFlagsMutuallyExclusive("inventory", "fail-on")
	cmd.MarkFlagsMutuallyExclusive("inventory", "root")
	var words []string
	for _, w := range inspect.Words() {
		words = append(words, w[0])
	}
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("fail-on", completeList(words...)))
	cobra.CheckErr(cmd.MarkFlagDirname("root"))
	return cmd
}

// inspectWordsHelp lists the words of --fail-on for the help text.
func inspectWordsHelp() string {
	text := ""
	for _, w := range inspect.Words() {
		text += fmt.Sprintf("  %-16s %s\n", w[0], fill(w[1], 19))
	}
	return text
}

// inventory prints which files of a toolchain are needed for what.
func (a *app) inventory(cmd *cobra.Command, args []string, host, release string) error {
	var given marks.Given
	var err error
	if given.Release, err = releaseFlag("--release", release); err != nil {
		return err
	}
	if host != "" {
		if given.Host, err = targets.ParseTriple(host); err != nil {
			return usagef("reading --host: %w", err)
		}
	}
	inv, err := inventory.Read(cmd.Context(), a.paths(args), given)
	if err != nil {
		return err
	}
	return a.printJSON(inv)
}

// inspect prints what is found in files.
func (a *app) inspect(cmd *cobra.Command, args []string, o inspect.Options, selected inspect.Selection) error {
	paths := a.paths(args)
	show := inspect.Faults().With(selected)
	var p inspectPrinter = &inspectTable{app: a, show: show}
	info, err := os.Stat(paths[0])
	switch {
	case a.flags.json:
		p = &inspectJSON{app: a}
	case len(paths) == 1 && err == nil && !info.IsDir():
		p = inspectSheet{a, show}
	}
	var failures []string
	found := 0
	err = inspect.Walk(cmd.Context(), paths, o, func(r inspect.Result) error {
		if r.Err != nil {
			failures = append(failures, r.Err.Error())
			if !a.flags.json {
				fmt.Fprintf(a.Stderr, "x: %s\n", r.Err)
			}
		}
		if r.File.Path == "" {
			return nil
		}
		found += len(selected.Find(&r.File))
		return p.file(&r.File)
	})
	if err != nil {
		return err
	}
	if err := p.end(failures); err != nil {
		return err
	}
	switch {
	case len(failures) > 0:
		return exitError{code: exitUsage}
	case found > 0:
		return exitError{code: exitFail}
	}
	return nil
}

// inspectPrinter prints what is found, as it is found.
type inspectPrinter interface {
	file(f *inspect.File) error
	end(failures []string) error
}

// inspectJSON prints one object, a file at a time.
type inspectJSON struct {
	app   *app
	files int
}

// inspectedFile is a file as --json has it.
type inspectedFile struct {
	*inspect.File
	Findings []inspect.Finding `json:"findings,omitempty"`
}

func (p *inspectJSON) file(f *inspect.File) error {
	text, err := json.Marshal(inspectedFile{f, inspect.All().Find(f)})
	if err != nil {
		return fmt.Errorf("printing the answer: %w", err)
	}
	lead := ",\n"
	if p.files++; p.files == 1 {
		lead = "{\"files\": [\n"
	}
	return p.app.print(lead + string(text))
}

func (p *inspectJSON) end(failures []string) error {
	lead := "\n]"
	if p.files == 0 {
		lead = `{"files": []`
	}
	text, err := json.Marshal(append([]string{}, failures...))
	if err != nil {
		return fmt.Errorf("printing the answer: %w", err)
	}
	return p.app.print(lead + `, "errors": ` + string(text) + "}\n")
}
