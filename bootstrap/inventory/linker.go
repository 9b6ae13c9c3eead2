package inventory

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"x.go/bootstrap/lld"
	"x.go/dist"
	"x.go/manifests"
	"x.go/targets"
	"x.go/targets/link"
)

// specOf returns a target as the compiler sees it; nil for one that x does not know.
func (b *builder) specOf(t targets.Triple) *targets.Spec {
	if t == b.host {
		return b.spec
	}
	snapshot, _, err := targets.Builtin().At(b.version.Release)
	if err != nil {
		return nil
	}
	spec, err := snapshot.For(b.compiler(), t)
	if err != nil {
		return nil
	}
	return spec
}

func (b *builder) compiler() targets.Compiler {
	return targets.Compiler{Release: b.version.Release, Host: b.host, LLDDefault: b.spec.BakedLLD()}
}

// abortsOnPanic reports whether a program of the target aborts if nothing else is said, and
// so takes panic_abort.
func (b *builder) abortsOnPanic(t targets.Triple) bool {
	spec := b.specOf(t)
	if spec == nil {
		return false
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return false
	}
	var field struct {
		Panic string `json:"panic-strategy"`
	}
	return json.Unmarshal(text, &field) == nil && strings.HasSuffix(field.Panic, "abort")
}

// linker adds what a link of a program needs, by the decision about its linker.
func (b *builder) linker(n *needs, t targets.Triple) (*Linker, error) {
	spec := b.specOf(t)
	if spec == nil {
		n.notes = append(n.notes, fmt.Sprintf("x does not know the target %s of rustc %s, and so not its linker", t, b.version.Release))
		return nil, nil
	}
	q := link.Query{Compiler: b.compiler(), Target: spec, Host: b.spec, World: link.World{Exists: b.exists}}
	q.Args = b.record.LauncherArgs(q)
	why, notes := b.record.Explain(q)
	n.notes = append(n.notes, notes...)
	d := why.Decision
	if d.Error != "" {
		n.notes = append(n.notes, "rustc stops: "+d.Error)
		return nil, nil
	}
	b.objects(n, t, spec)
	if !d.Linked {
		return nil, nil
	}
	l := &Linker{Program: d.Linker, Flavor: d.Flavor.String(), LLD: why.LLD}
	if own := b.tool(d.Linker); own != "" {
		l.Own = true
		n.program(own)
		for _, helper := range helpers[d.Linker] {
			if own := b.tool(helper); own != "" {
				n.program(own)
			}
		}
	} else if lldName(d.Linker) {
		n.missing(dist.LLDFile(b.host.String(), b.exe), "link")
	} else {
		text := "the linker of the target"
		if d.Flavor.UsesCC() {
			text = "the C compiler of the target, with its own linker, start files and libraries"
		}
		n.machine(d.Linker, text)
	}
	if d.Flavor.UsesCC() {
		b.gccLD(n, d, l)
	}
	return l, nil
}

// lldName reports whether a linker is by its name the toolchain's own LLD.
func lldName(linker string) bool { return linker == "rust-lld" || linker == "lld" }

// helpers are what a linker of the toolchain starts itself.
var helpers = map[string][]string{
	"wasm-component-ld":   {"rust-lld"},
	"llvm-bitcode-linker": {"llvm-link", "opt", "llc"},
}

// tool returns the file of a program that rustc finds in its own directories; "" if there
// is none (`compiler/rustc_session/src/session.rs`, get_tools_search_paths).
func (b *builder) tool(program string) string {
	for _, dir := range []string{"bin", "bin/self-contained"} {
		name := path.Join("lib/rustlib", b.host.String(), dir, strings.TrimSuffix(program, ".exe")+b.exe)
		if b.files[name] != nil {
			return name
		}
	}
	return ""
}

// gccLD adds what a C compiler runs as its linker.
func (b *builder) gccLD(n *needs, d link.Decision, l *Linker) {
	dir := "lib/rustlib/" + b.host.String() + "/bin/gcc-ld"
	asked := false // a -B leads into the toolchain
	for _, arg := range d.LLDArgs {
		asked = asked || strings.HasPrefix(arg, "-B") && strings.HasSuffix(arg, "/"+dir)
	}
	switch {
	case asked:
		wrapper := dir + "/" + wrapperOf(d.Flavor) + b.exe
		if b.files[wrapper] == nil {
			n.missing(wrapper, "link")
		}
		n.program(wrapper)
		n.origin = true // it finds rust-lld by its own place
		if b.record.Wrapper == lld.WrapperShim {
			n.machine("ld", "the system's linker, which gcc-ld of this toolchain runs")
			return
		}
		if site := b.set.record.Wrapper.Site; site != "" {
			n.machine(site, "the linker wrapper of the site, which gcc-ld of this toolchain runs")
		}
		own := dist.LLDFile(b.host.String(), b.exe)
		if b.files[own] == nil {
			n.missing(own, wrapper)
		}
		n.program(own)
	case l.LLD == "system":
		n.machine("ld.lld", "LLD of the machine, which the C compiler runs")
	}
}

// wrapperOf returns the name by which a C compiler looks for LLD.
func wrapperOf(f targets.LinkerFlavor) string {
	names := manifests.GCCLDPrograms()
	switch f.Kind() {
	case targets.KindDarwin:
		return names[1]
	case targets.KindMSVC:
		return names[2]
	case targets.KindWasm:
		return names[3]
	}
	return names[0]
}

// objects adds the start files and libraries that a target brings for itself.
func (b *builder) objects(n *needs, t targets.Triple, spec *targets.Spec) {
	lib := "lib/rustlib/" + t.String() + "/lib/"
	always := spec.SelfContained.InForce(spec.CrtStatic(targets.Unknown), func() bool { return false })
	own := b.below(lib + "self-contained/")
	self := func(n *needs) {
		for _, name := range own {
			n.file(name)
		}
		for _, name := range b.below("lib/rustlib/" + b.host.String() + "/bin/self-contained/") {
			if t == b.host && spec.SelfContained.String() == "mingw" {
				n.program(name)
			}
		}
	}
	switch {
	case always.Has(targets.CrtObjects):
		self(n)
	case spec.SelfContained.String() == "mingw":
		n.option("a machine without MinGW", self)
	default:
		n.option("-Clink-self-contained=yes", self)
	}
	runtime, dynamic := newNeeds(b), newNeeds(b)
	for _, name := range b.below(lib) {
		base := path.Base(name)
		switch ext := path.Ext(base); {
		case path.Dir(name)+"/" != lib:
		case strings.HasPrefix(base, "librustc-") && strings.Contains(base, "_rt."):
			runtime.file(name)
		case ext == ".o" || ext == ".obj" || ext == ".a" && !strings.HasSuffix(base, ".dll.a"):
			n.file(name)
		case ext == ".so" || ext == ".dylib" || ext == ".dll" || strings.HasSuffix(base, ".dll.lib") || strings.HasSuffix(base, ".dll.a"):
			if strings.Contains(base, "std-") {
				dynamic.file(name)
			}
		}
	}
	n.option("-Cprefer-dynamic", func(n *needs) { n.files = dynamic.files })
	n.option("-Zsanitizer", func(n *needs) { n.files = runtime.files })
	if strip := b.tool("rust-objcopy"); spec.LikeDarwin && strip != "" {
		n.option("-Cstrip", func(n *needs) { n.program(strip) })
	}
}

// exists reports whether a path below the sysroot, which the decision calls <sysroot>, is
// there.
func (b *builder) exists(p string) bool {
	rest, ok := strings.CutPrefix(p, "<sysroot>/")
	return !ok || b.files[rest] != nil || len(b.below(rest+"/")) > 0
}
