package doctor

// causeRow says what a cause means and what to do about it.
type causeRow struct {
	cause    Cause
	summary  string
	remedies []remedyRow // narrowest first
	notes    []string
	sources  []string
}

// remedyRow is a [Remedy], or a place for the ways to turn LLD off.
type remedyRow struct {
	option, effect string
	optOut         bool // option is open: the flags depend on target and release

}

// flag is a remedy that every rustc takes: it passes -Clink-arg on as it is.
func flag(option, effect string) remedyRow { return remedyRow{option: option, effect: effect} }

// order is a remedy that is no flag.
func order(what, effect string) remedyRow {
	return remedyRow{option: what, effect: effect}
}

// optOut stands for the flags that turn LLD off.
func optOut(effect string) remedyRow { return remedyRow{effect: effect, optOut: true} }

// causeRows explain the causes. An effect says what else changes.
var causeRows = []causeRow{
	{Ctors, "functions listed in .ctors or .dtors never run: LLD leaves the sections where they are, GNU ld moves them to .init_array and .fini_array",
		[]remedyRow{
			order("rebuild the objects so that they use .init_array: gcc 4.7 or later, crate ctor 0.1.11 or later", "the functions run with every linker"),
			optOut("GNU ld moves the functions to where they run"),
		}, nil, []string{"rust-lang/rust#128286", "rust-lang/rust#140525"}},
	{StartStopGC, "LLD drops a section that only __start_ and __stop_ symbols refer to; GNU ld keeps it",
		[]remedyRow{
			flag("-Clink-arg=-Wl,-z,nostart-stop-gc", "LLD keeps the section, as GNU ld does; nothing else changes"),
			order("mark the data with #[used] and build with rustc 1.89 or later, and a current linkme; in C, add __attribute__((used, retain))", "the section says itself that it stays, with every linker"),
			optOut("GNU ld keeps the section"),
		}, nil, []string{"rust-lang/rust#140872", "rust-lang/rust#130397", "dtolnay/linkme#94", "https://lld.llvm.org/ELF/start-stop-gc"}},
	{ShlibUndefined, "a shared library needs a symbol that no library on the command line defines; LLD checks that, also for libraries that --as-needed then drops",
		[]remedyRow{
			order("name the library that defines the symbol: -Clink-arg=-Wl,--no-as-needed -Clink-arg=-lNAME", "the symbol is found when the program is linked, and when it starts"),
			flag("-Clink-arg=-Wl,--allow-shlib-undefined", "LLD no longer checks shared libraries: a symbol that nothing defines ends the program when it starts or first uses it"),
			optOut("GNU ld looks for the symbol in the libraries that the library itself needs, and fails as well if it is nowhere"),
		}, nil, []string{"llvm/llvm-project#54700", "rust-lang/rust#140525"}},
	{GxxPersonality, "code in C++ is linked without the C++ runtime: LLD keeps the reference of an unwinding table to it, although nothing else needs it",
		[]remedyRow{
			flag("-lstdc++", "the C++ runtime is linked; the program needs libstdc++ to run"),
			order("build the code with cc::Build::cpp(true), which prints cargo::rustc-link-lib=stdc++", "likewise, for everybody who uses the crate"),
			optOut("GNU ld drops the unwinding table with the function"),
		}, nil, []string{"rust-lang/rust#135257"}},
	{DuplicateSymbol, "two inputs define one symbol; LLD takes the first archive that offers a symbol, GNU ld looks only forward, so that it may never load the second",
		[]remedyRow{
			order("link one of the two libraries, or rename the symbol in one of them", "one definition is left"),
			order("name first the library that defines all of the symbols", "LLD takes them from there and does not load the other member"),
			optOut("GNU ld searches each archive once, in order; two definitions that are both needed clash there too"),
		},
		[]string{"-z muldefs and --allow-multiple-definition would link too, but take the first definition, which may be another function than GNU ld calls: do not use them unexamined"},
		[]string{"rust-lang/rust#140525"}},
	{Incompatible, "an input is for another machine; LLD reads the header of each member of an archive, GNU ld that of members that are needed",
		[]remedyRow{
			order("remove the member from the archive (ar d ARCHIVE MEMBER), or build it for this target", "the archive holds objects for one machine"),
			optOut("GNU ld passes over a foreign member that nothing needs, and refuses one that is needed"),
		}, nil, []string{"rust-lang/rust#140525"}},
	{InvalidLocalSymbol, "a symbol table breaks the ELF format: it has local symbols among the global ones, or symbols of no valid binding",
		[]remedyRow{
			order("build the file again with current tools: gold and old tools write such tables", "every linker reads it"),
			flag("-Clink-arg=-Wl,--noinhibit-exec", "LLD writes the output in spite of this, and of every other error too, an undefined symbol included: look at the warnings"),
			optOut("GNU ld warns, or passes over the symbol"),
		}, nil, []string{"rust-lang/rust#128938"}},
	{LTOObjects, "objects hold GCC's intermediate code for link-time optimisation, which LLD cannot read: it finds no code in slim objects, and the code before optimisation in fat ones",
		[]remedyRow{
			order("build the C and C++ code without -flto (CFLAGS=-fno-lto), or with CC=clang", "the objects hold machine code; clang's -flto works with LLD of the same LLVM"),
			optOut("GNU ld runs GCC's plugin, which optimises and links the objects"),
		}, nil, []string{"rust-lang/rust#146952", "rust-lang/rust#159355"}},
	{OldDriver, "the C compiler does not know -fuse-ld=lld, so that rustc links again without it, silently and with the system's linker",
		[]remedyRow{
			order("use gcc 9 or later, or clang, as the linker", "LLD links"),
			optOut("nothing but that the linker is chosen on purpose"),
		}, nil, []string{"rust-lang/rust#140964"}},
	{NoLLD, "LLD is asked for, and is not found or does not start",
		[]remedyRow{
			order("drop -Clink-self-contained=-linker or =n where it is given", "the toolchain's own LLD links"),
			order("install the toolchain again, or the system's lld where that is meant", "LLD is there"),
			optOut("GNU ld links"),
		}, nil, []string{"rust-lang/rust#140525"}},
	{LostRunPath, "a library is not found: a wrapper of the system's linker adds the search path (RUNPATH), and the toolchain's LLD is run without it",
		[]remedyRow{
			flag("-Clink-arg=-Wl,-rpath,DIR", "the program finds libraries in DIR; give it once for each directory"),
			order("put the site's wrapper into the toolchain's gcc-ld (x.toml: lld.wrapper)", "LLD links and the wrapper adds the path for every program"),
			optOut("the wrapped GNU ld adds the path again"),
		}, nil, []string{"rust-lang/rust#162781", "NixOS/nixpkgs#314268"}},
	{LostVersion, "versions of symbols are lost or refused: a version script names a symbol that nothing defines, or rustc's own script comes first",
		[]remedyRow{
			order("remove the symbol from the version script, or define and export it", "the script fits with every linker"),
			flag("-Clink-arg=-Wl,--undefined-version", "LLD accepts names in the script that nothing defines, as GNU ld does"),
			order("give one version script, and check the output for .gnu.version_d", "of two scripts LLD takes the first, rustc's, which has no versions"),
		}, nil, []string{"cyphar/libpathrs#318"}},
	{UnresolvedAtRunTime, "the program was linked although a symbol is missing, and asks for it when it starts",
		[]remedyRow{
			order("drop the option that lets symbols be missing (--warn-unresolved-symbols, --unresolved-symbols, -z undefs, --noinhibit-exec)", "the link fails, and names each missing symbol"),
			order("link the library that defines the symbol", "the program has the symbol"),
			optOut("GNU ld leaves the symbol at address 0: the program starts, and crashes where it uses the symbol"),
		}, nil, []string{"rust-lang/rust#147707"}},
	{SelfContainedCrash, "the program has no start files: -Clink-self-contained=y leaves out the system's, and rustc ships none for this target",
		[]remedyRow{
			order("drop -Clink-self-contained=y", "the C compiler links its start files; LLD stays the linker"),
		}, nil, []string{"rust-lang/rust#140525"}},
	{Memory, "the linker ended for want of memory, of threads or of room for its output",
		[]remedyRow{
			flag("-Clink-arg=-Wl,--threads=1", "LLD works with one thread in place of one for each processor: less memory, a longer link"),
			order("run fewer jobs at a time: cargo build -j N", "fewer links run at once"),
			order("make room where the output is written", "LLD maps its output: a full disk or tmpfs ends it with SIGBUS"),
			optOut("GNU ld uses one thread"),
		}, nil, []string{"rust-lang/cargo#9157"}},
	{LibraryOrder, "a static library comes before what needs it: GNU ld looks only forward, LLD remembers what archives offer",
		[]remedyRow{
			order("name the library after those that need it, or print cargo::rustc-link-lib in the crate that needs it", "every linker finds the symbol"),
			flag("-Clink-arg=-fuse-ld=lld", "LLD links, if the C compiler finds it"),
		}, nil, []string{"rust-lang/rust#154975", "rust-lang/rust#147156"}},
	{CompressedDebug, "debug sections are compressed in a way that this build of LLD cannot read or write",
		[]remedyRow{
			order("decompress the input (objcopy --decompress-debug-sections FILE), or build it without -gz", "the section is read by every linker"),
			order("use an LLD built with zlib and zstd: rustc 1.83 or later on musl hosts", "LLD reads the sections"),
			optOut("GNU ld reads the sections, if it was built with that compression"),
		}, nil, []string{"rust-lang/rust#130063"}},
	{Gold, "gold links, which is deprecated and known to link Rust wrongly",
		[]remedyRow{
			order("drop -fuse-ld=gold", "rustc's default linker is used"),
			flag("-Clink-arg=-fuse-ld=lld", "LLD links"),
		}, nil, []string{"rust-lang/rust#141748"}},
	{TextRelocation, "code that is not position independent needs its addresses filled in when it is loaded; LLD refuses that by default, GNU ld warns",
		[]remedyRow{
			order("build the object with -fPIC", "the code needs no change when it is loaded"),
			flag("-Clink-arg=-Wl,-z,notext", "the loader changes the code when the program starts, as with GNU ld; hardened systems refuse such a program"),
			optOut("GNU ld writes the same relocations, and may warn (DT_TEXTREL)"),
		}, nil, []string{"dtolnay/linkme#22"}},
	{BitcodeVersion, "an object holds bitcode of a newer LLVM than that of the linker",
		[]remedyRow{
			order("link with the toolchain's own LLD, or with one of the same LLVM", "the bitcode is read"),
			order("drop -Clinker-plugin-lto", "objects hold machine code; no optimisation across languages"),
		}, nil, []string{"https://doc.rust-lang.org/rustc/linker-plugin-lto.html"}},
	{NoDriver, "LLD is run as the linker itself, without the C compiler that knows where the C library is",
		[]remedyRow{
			flag("-Clinker=cc", "the C compiler runs LLD, where that is the target's default"),
		}, nil, []string{"https://doc.rust-lang.org/rustc/codegen-options/index.html#linker"}},
	{LinkerOption, "an option of another linker, which LLD does not know",
		[]remedyRow{
			order("drop the option, or give it for the other linker only", "LLD links"),
			optOut("GNU ld takes its own options"),
		}, nil, []string{"https://lld.llvm.org/"}},
}
