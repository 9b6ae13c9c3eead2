package toolchain

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/targets"
)

// Path returns the path of a file of an archive in the sysroot. That of rustlib, and what
// lies beside it, may be in another directory than lib.
func (tc Toolchain) Path(name string) string {
	p := filepath.Join(tc.Sysroot, filepath.FromSlash(name))
	rest, ok := strings.CutPrefix(name, "lib/")
	if tc.libdir == "lib" || tc.libdir == "" || !ok {
		return p
	}
	if moved := filepath.Join(tc.Sysroot, filepath.FromSlash(tc.libdir), filepath.FromSlash(rest)); exists(moved) && !exists(p) {
		return moved
	}
	return p
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// archived returns what a file of the sysroot is called in an archive: rustlib is in lib
// there, as x.py has it.
func (tc Toolchain) archived(name string) string {
	if rest, ok := strings.CutPrefix(name, tc.libdir+"/rustlib"); ok && tc.libdir != "" {
		return "lib/rustlib" + rest
	}
	return name
}

// isCompiler reports whether c is the compiler of the host.
func (c InputComponent) isCompiler(host targets.Triple) bool {
	return c.Spec.Archive == "rustc" && c.Target == host
}

// WithoutLLD returns the components without rust-lld and gcc-ld, which the decision
// on LLD provides or leaves out. A gcc-ld may also hold names of an older rustc (ld,
// ld64), which nothing runs.
func (tc Toolchain) WithoutLLD(components []InputComponent) ([]InputComponent, error) {
	host, exe := tc.Host.String(), tc.Spec.ExeSuffix
	lldFile, gccLD := dist.LLDFile(host, exe), "lib/rustlib/"+host+"/bin/gcc-ld"
	components = slices.Clone(components)
	i := slices.IndexFunc(components, func(c InputComponent) bool { return c.isCompiler(tc.Host) })
	if i < 0 {
		return nil, fmt.Errorf("assembling the sysroot: %q has no component rustc for %s", tc.Sysroot, tc.Host)
	}
	c := &components[i]
	c.Image = c.Image.Clone()
	c.Broken = slices.DeleteFunc(slices.Clone(c.Broken), func(b Broken) bool {
		return b.Name == lldFile || strings.HasPrefix(b.Name, gccLD+"/")
	})
	_, err := c.Image.Remove(lldFile, gccLD)
	return components, err
}

// RustLLD returns the file that becomes rust-lld if LLD is shipped.
func (tc Toolchain) RustLLD(cfg config.Config) string {
	if cfg.X.LLD.Binary != "" {
		return cfg.X.LLD.Binary
	}
	return tc.Path(dist.LLDFile(tc.Host.String(), tc.Spec.ExeSuffix))
}

// WithLibraries returns the components with what their programs lack: an own library
// that is nowhere makes the program of no use.
func (l Libraries) WithLibraries(components []InputComponent) []InputComponent {
	components = slices.Clone(components)
	for i, c := range components {
		for e := range c.Image.Entries() {
			for _, n := range l.missing[e.Name] {
				err := fmt.Errorf("%q needs %q, which the sysroot does not have", n.File, n.Library)
				if n.At != "" {
					err = fmt.Errorf("%q needs %q, which is outside of the sysroot, at %q", n.File, n.Library, n.At)
				}
				components[i].Broken = append(slices.Clip(components[i].Broken), Broken{e.Name, err})
			}
		}
	}
	return components
}

// Findings returns warnings about what a toolchain needs where it is used.
func (l Libraries) Findings(sysroot string) []config.Finding {
	var out []config.Finding
	if len(l.System) > 0 {
		var list []string
		for _, library := range slices.Sorted(maps.Keys(l.System)) {
			list = append(list, fmt.Sprintf("%q (for %q)", library, l.System[library]))
		}
		out = append(out, config.Finding{Severity: config.Warning, Place: sysroot, Remedy: "install it only where they are",
			Reason: "the archives do not hold all libraries that the toolchain needs, so the system has to bring them: " + strings.Join(list, ", ")})
	}
	if programs := slices.Sorted(maps.Keys(l.Fixed)); len(programs) > 0 {
		out = append(out, config.Finding{Severity: config.Warning, Place: sysroot,
			Reason: fmt.Sprintf("what is not relocatable works only in a place like that where it was installed: %q (%s)", programs, l.Fixed[programs[0]]),
			Remedy: "give each program a RUNPATH from $ORIGIN to its libraries with patchelf, or install the toolchain only there"})
	}
	return out
}

// Wanted reports whether a configuration wants the archive of c. A value that is set
// counts, but not x.py's defaults: they save build time, and what the input has is
// built already.
func (c InputComponent) Wanted(cfg config.Config, host targets.Triple) bool {
	set := cfg.IsSet
	switch archive := c.Spec.Archive; {
	case archive == "rust-docs" || archive == "rust-docs-json":
		return cfg.Build.Docs || !set("build.docs")
	case archive == "rustc-docs":
		return cfg.Build.CompilerDocs || !set("build.compiler-docs")
	case archive == "rust-std":
		if cfg.Target(c.Target).NoStd == targets.Yes {
			return false
		}
		return !set("build.target") || slices.Contains(cfg.Build.Target, c.Target) || c.Target == host
	case archive == "llvm-tools" && (set("rust.llvm-tools") && !cfg.Rust.LLVMTools || hasExternalLLVM(cfg, c.Target)):
		return false
	case archive == "rust-dev" && hasExternalLLVM(cfg, c.Target):
		return false
	case archive == "rust-mingw" && set("dist.include-mingw-linker") && !cfg.Dist.IncludeMingwLinker:
		return false
	case archive == "llvm-bitcode-linker" && set("rust.llvm-bitcode-linker") && !cfg.Rust.LLVMBitcodeLinker:
		return false
	case archive == "enzyme" && set("llvm.enzyme") && !cfg.LLVM.Enzyme:
		return false
	case strings.HasPrefix(archive, "rustc-codegen-"):
		return hasBackend(cfg, c.Target, strings.TrimPrefix(archive, "rustc-codegen-"))
	case extendedTools[archive]:
		if set("build.extended") && !cfg.Build.Extended {
			return false
		}
		return !set("build.tools") || slices.Contains(cfg.Build.Tools, archive)
	}
	return true
}

// hasBackend reports whether the codegen backends of a triple that are set, if any,
// have one of that name.
func hasBackend(cfg config.Config, t targets.Triple, name string) bool {
	if key := "target." + t.String() + ".codegen-backends"; cfg.IsSet(key) {
		return slices.Contains(cfg.Target(t).CodegenBackends, name)
	}
	return !cfg.IsSet("rust.codegen-backends") || slices.Contains(cfg.Rust.CodegenBackends, name)
}

// hasExternalLLVM reports whether the LLVM of a triple is one that x.py does not
// build, and whose tools it does not ship.
func hasExternalLLVM(cfg config.Config, t targets.Triple) bool {
	return cfg.Target(t).LLVMConfig != ""
}

// extendedTools are the archives that x.py makes only with build.extended, and
// of those the ones that build.tools names.
var extendedTools = map[string]bool{
	"cargo": true, "clippy": true, "rustfmt": true, "rust-analyzer": true, "miri": true, "llvm-tools": true,
	"llvm-bitcode-linker": true, "rust-analysis": true,
}

// Verdict is what becomes of a component.
type Verdict struct {
	// Packed says that the component goes out.
	Packed bool
	// Finding says why it does not, or what is left out of it; it may be nil.
	Finding *config.Finding
	// Err says why nothing can go out.
	Err error
}

// Judge decides what becomes of c: the same for all commands. wanted says that the
// configuration wants it, asked that somebody named it. A component of which the
// toolchain has only parts is left out unless somebody asks for it.
func (c InputComponent) Judge(tc Toolchain, wanted, asked bool) Verdict {
	c, left := c.withoutHelpers(tc.Host)
	laid := c.Component()
	missing := dist.Incomplete(laid)
	var errs []error
	for _, b := range c.Broken {
		errs = append(errs, b.Err)
	}
	if len(errs) == 0 { // else they say why it is missing
		errs = append(errs, missing...)
	}
	place := tc.Path("lib/rustlib")
	if len(c.Broken) > 0 {
		place = tc.Path(c.Broken[0].Name)
	}
	optional := !c.isCompiler(tc.Host) && (len(c.Broken) == 0 || !minimal[c.Spec.Archive])
	switch {
	case !wanted && !asked:
		if len(errs) == 0 {
			return Verdict{}
		}
		return Verdict{Finding: note(config.Note, place, "component %s is not complete, and it is not asked for: %s", c.Spec.Archive, oneOf(errs))}
	case len(errs) > 0 && optional && !asked:
		return Verdict{Finding: note(config.Note, place, "component %s is left out, because the toolchain does not have all of it: %s", c.Spec.Archive, oneOf(errs))}
	case len(errs) > 0:
		for i, err := range errs {
			errs[i] = fmt.Errorf("checking component %q: %w", laid.Name, err)
		}
		return Verdict{Err: errors.Join(errs...)}
	}
	if err := errors.Join(dist.CheckComponent(laid)...); err != nil {
		return Verdict{Err: err}
	}
	v := Verdict{Packed: true}
	if len(left) > 0 {
		v.Finding = note(config.Warning, tc.Path(left[0].Name), "it is left out: %v", left[0].Err)
	}
	return v
}

// minimal are the components of rustup's profile minimal: a toolchain without one of
// them is not what somebody asked for.
var minimal = map[string]bool{"rustc": true, "rust-std": true, "cargo": true}

// helpers are programs of the compiler that few targets use. Distributions have them
// as links into packages of their own.
var helpers = []string{"rust-objcopy", "wasm-component-ld"}

// withoutHelpers returns c without the helpers that are links to nothing, and those.
func (c InputComponent) withoutHelpers(host targets.Triple) (InputComponent, []Broken) {
	var left, broken []Broken
	for _, b := range c.Broken {
		if path.Dir(b.Name) == "lib/rustlib/"+host.String()+"/bin" && slices.Contains(helpers, path.Base(b.Name)) && b.isNowhere() {
			left = append(left, b)
		} else {
			broken = append(broken, b)
		}
	}
	c.Broken = broken
	return c, left
}

func note(s config.Severity, place, format string, args ...any) *config.Finding {
	return &config.Finding{Severity: s, Place: place, Reason: fmt.Sprintf(format, args...)}
}

// oneOf returns the first of several errors and says how many there are.
func oneOf(errs []error) string {
	if len(errs) == 1 {
		return errs[0].Error()
	}
	return fmt.Sprintf("%v (and %d more)", errs[0], len(errs)-1)
}
