package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

// texts are what linkers, and the programs around them, have printed: on this project's
// machines, or on others, as somebody has shown it. Each is in testdata/texts.
var texts = []struct {
	name, source string
	want         []Cause // in any order; none for a failure that every linker has, or another than LLD
}{
	{"shlib-lld13", "Debian's LLD 13.0.1", []Cause{ShlibUndefined}},
	{"shlib-lld16", "Debian's LLD 16.0.6", []Cause{ShlibUndefined}},
	{"shlib-lld19", "Debian's LLD 19.1.7", []Cause{ShlibUndefined}},
	{"shlib-nowhere-rust22n", "rust-lld 22.1.4 of rustc 1.97.0-nightly", []Cause{ShlibUndefined}},
	{"shlib-asneeded-lld14", "Debian's LLD 14.0.6", []Cause{ShlibUndefined}},
	{"shlib-rustc", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{ShlibUndefined}},
	{"shlib-margo", "https://github.com/mochi-hpc/mochi-margo/issues/175", []Cause{ShlibUndefined}},
	{"shlib-389ds", "https://github.com/389ds/389-ds-base/issues/4596", []Cause{ShlibUndefined}},
	{"shlib-cxx", "https://github.com/rui314/mold/issues/1443", []Cause{ShlibUndefined}},
	{"shlib-windows-host", "https://github.com/rust-lang/rust/pull/85144", []Cause{ShlibUndefined}},
	{"shlib-asan", "https://github.com/llvm/llvm-project/issues/69684", []Cause{ShlibUndefined}},
	{"startstop-lld13", "Debian's LLD 13.0.1", []Cause{StartStopGC}},
	{"startstop-lld19", "Debian's LLD 19.1.7", []Cause{StartStopGC}},
	{"startstop-rustc", "rust-lld 22.1.4 of rustc 1.97.0-nightly", []Cause{StartStopGC}},
	{"startstop-linkme-94", "https://github.com/dtolnay/linkme/issues/94", []Cause{StartStopGC}},
	{"startstop-linkme-63", "https://github.com/dtolnay/linkme/issues/63", []Cause{StartStopGC}},
	{"startstop-freebsd", "https://github.com/dtolnay/linkme/issues/49", []Cause{StartStopGC}},
	{"startstop-ariel", "https://github.com/ariel-os/ariel-os/pull/1161", []Cause{StartStopGC}},
	{"personality-rustc", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{GxxPersonality}},
	{"personality-135257", "https://github.com/rust-lang/rust/issues/135257", []Cause{GxxPersonality}},
	{"duplicate-lld13", "Debian's LLD 13.0.1", []Cause{DuplicateSymbol}},
	{"duplicate-lld16", "Debian's LLD 16.0.6", []Cause{DuplicateSymbol}},
	{"duplicate-rustc", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{DuplicateSymbol}},
	{"duplicate-std", "https://github.com/qntx/xmtp/issues/15", []Cause{DuplicateSymbol}},
	{"duplicate-cortex-m", "https://github.com/rust-lang/rust/issues/73284", []Cause{DuplicateSymbol}},
	{"duplicate-bare", "https://github.com/rust-embedded/discovery/issues/288", []Cause{DuplicateSymbol}},
	{"duplicate-uniffi", "https://github.com/mozilla/uniffi-rs/issues/2386", []Cause{DuplicateSymbol}},
	{"duplicate-msvc", "https://github.com/rust-lang/rust/issues/139821", []Cause{DuplicateSymbol}},
	{"incompatible32-lld16", "Debian's LLD 16.0.6", []Cause{Incompatible}},
	{"incompatiblearm-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{Incompatible}},
	{"incompatible-obj-lld13", "Debian's LLD 13.0.1", []Cause{Incompatible}},
	{"incompatible-so-lld14", "Debian's LLD 14.0.6", []Cause{Incompatible}},
	{"incompatible-rustc", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{Incompatible}},
	{"incompatible-arceos", "https://github.com/arceos-org/arceos/issues/37", []Cause{Incompatible}},
	{"localsym-o-lld13", "Debian's LLD 13.0.1", []Cause{InvalidLocalSymbol}},
	{"localsym-o-bfd", "GNU ld 2.40", []Cause{InvalidLocalSymbol}},
	{"localsym-o-lld16", "Debian's LLD 16.0.6", []Cause{InvalidLocalSymbol}},
	{"localsym-so-lld14", "Debian's LLD 14.0.6", []Cause{InvalidLocalSymbol}},
	{"localsym-so-lld19", "Debian's LLD 19.1.7", []Cause{InvalidLocalSymbol}},
	{"localsym-rustc", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{InvalidLocalSymbol}},
	{"localsym-android", "https://github.com/android/ndk-samples/issues/769", []Cause{InvalidLocalSymbol}},
	{"localsym-mnn", "https://github.com/alibaba/MNN/issues/3214", []Cause{InvalidLocalSymbol}},
	{"version-undef-lld13", "Debian's LLD 13.0.1", []Cause{LostVersion}},
	{"version-default-lld16", "Debian's LLD 16.0.6", []Cause{LostVersion}},
	{"version-default-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{LostVersion}},
	{"version-libcdio", "https://github.com/libcdio/libcdio/issues/20", []Cause{LostVersion}},
	{"version-libgcc", "https://github.com/gentoo/gentoo/pull/39868", []Cause{LostVersion}},
	{"warn-unresolved-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{UnresolvedAtRunTime}},
	{"warn-unresolved-lld13", "Debian's LLD 13.0.1", []Cause{UnresolvedAtRunTime}},
	{"unresolved-turso", "https://github.com/rust-lang/rust/issues/147707", []Cause{UnresolvedAtRunTime}},
	{"unresolved-two", "rust-lld 22.1.4 of rustc 1.97.0-nightly, -Clink-arg=-Wl,--warn-unresolved-symbols", []Cause{UnresolvedAtRunTime}},
	{"textrel-lld13", "Debian's LLD 13.0.1", []Cause{TextRelocation}},
	{"textrel-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{TextRelocation}},
	{"compressed-musl", "https://github.com/rust-lang/rust/issues/130063", []Cause{CompressedDebug}},
	{"compressed-conda", "https://github.com/conda-forge/llvmdev-feedstock/issues/88", []Cause{CompressedDebug}},
	{"compressed-alpine", "https://github.com/rust-lang/rust/issues/97452", []Cause{CompressedDebug}},
	{"compressed-easybuild", "https://github.com/easybuilders/easybuild-easyconfigs/issues/23973", []Cause{CompressedDebug}},
	{"no-lld-82172", "https://github.com/rust-lang/rust/issues/82172", []Cause{NoLLD}},
	{"no-lld-german", "the same, with the words of gcc 12 in German", []Cause{NoLLD}},
	{"no-lld-clang", "https://github.com/ProjectZKM/Ziren/issues/244", []Cause{NoLLD}},
	{"no-lld-clang-location", "https://github.com/ish-app/ish/issues/656", []Cause{NoLLD}},
	{"no-lld-buck", "https://github.com/facebook/buck2/pull/131", []Cause{NoLLD}},
	{"no-lld-libllvm", "https://github.com/rust-lang/rust/issues/53869", []Cause{NoLLD}},
	{"no-lld-nixos", "https://github.com/rust-lang/rust/issues/55979", []Cause{NoLLD}},
	{"no-lld-wrapper", "the wrapper of rustc 1.95.0, alone", []Cause{NoLLD}},
	{"no-lld-not-found", "https://github.com/rust-lang/rust/pull/55106", []Cause{NoLLD}},
	{"no-lld-sysroot", "rustc 1.95.0 without gcc-ld", []Cause{NoLLD}},
	{"old-driver-8", "gcc 8, as rust-lang/rust#140964 has it", []Cause{OldDriver}},
	{"old-driver-french", "the same in French", []Cause{OldDriver}},
	{"runpath-overlay", "https://github.com/oxalica/rust-overlay/issues/168", []Cause{LostRunPath}},
	{"bitcode-freebsd", "https://github.com/rust-lang/rust/issues/140343", []Cause{BitcodeVersion}},
	{"bitcode-gentoo", "https://github.com/PF4Public/gentoo-overlay/issues/88", []Cause{BitcodeVersion}},
	{"memory-bus-error", "https://github.com/llvm/llvm-project/issues/167785", []Cause{Memory}},
	{"memory-german", "the words of gcc 12 in German", []Cause{Memory}},
	{"memory-chinese", "the words of gcc 12 in Chinese", []Cause{Memory}},
	{"memory-ukrainian", "the words of gcc 12 in Ukrainian", []Cause{Memory}},
	{"gold-warning", "rustc 1.95.0 with -Clink-arg=-fuse-ld=gold", []Cause{Gold}},
	{"self-contained", "rust-lld 22.1.4 of rustc 1.97.0-nightly, -Clink-self-contained=y", []Cause{SelfContainedCrash}},
	{"no-driver", "https://github.com/rust-lang/rust/issues/39915", []Cause{NoDriver}},
	{"two-crates", "rust-lld 22.1.2 of rustc 1.95.0, two crates", []Cause{DuplicateSymbol, InvalidLocalSymbol}},
	{"nothing-undefined-lld13", "Debian's LLD 13.0.1", []Cause{}},
	{"nothing-undefined-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{}},
	{"nothing-undefined-mold", "mold 1.10.1", []Cause{}},
	{"nothing-undefined-gold", "gold 1.16", []Cause{}},
	{"nothing-undefined-cxx-lld16", "Debian's LLD 16.0.6", []Cause{}},
	{"nothing-undefined-cxx-mold", "mold 1.10.1", []Cause{}},
	{"nothing-nolib-lld13", "Debian's LLD 13.0.1", []Cause{}},
	{"nothing-nolib-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{}},
	{"nothing-nolib-mold", "mold 1.10.1", []Cause{}},
	{"nothing-nodir-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{}},
	{"nothing-nodir-mold", "mold 1.10.1", []Cause{}},
	{"nothing-duplicate-mold", "mold 1.10.1", []Cause{}},
	{"nothing-incompatible32-mold", "mold 1.10.1", []Cause{}},
	{"nothing-lto-slim-bfd", "GNU ld 2.40", []Cause{}},
	{"nothing-lto-slim-gold", "gold 1.16", []Cause{}},
	{"nothing-lto-slim-mold", "mold 1.10.1", []Cause{}},
	{"nothing-lto-clang-bfd", "GNU ld 2.40", []Cause{}},
	{"nothing-lto-clang-mold", "mold 1.10.1", []Cause{}},
	{"nothing-shlib-nowhere-gold", "gold 1.16", []Cause{}},
	{"nothing-shlib-nowhere-bfd", "GNU ld 2.40", []Cause{}},
	{"nothing-version-undef-mold", "mold 1.10.1", []Cause{}},
	{"nothing-version-undef-bfd", "GNU ld 2.40", []Cause{}},
	{"nothing-version-undef-gold", "gold 1.16", []Cause{}},
	{"nothing-warn-unresolved-bfd", "GNU ld 2.40", []Cause{}},
	{"nothing-warn-unresolved-gold", "gold 1.16", []Cause{}},
	{"nothing-warn-unresolved-mold", "mold 1.10.1", []Cause{}},
	{"nothing-reloc-bfd", "GNU ld 2.40", []Cause{}},
	{"nothing-reloc-gold", "gold 1.16", []Cause{}},
	{"nothing-reloc-mold", "mold 1.10.1", []Cause{}},
	{"nothing-reloc-lld19", "Debian's LLD 19.1.7", []Cause{}},
	{"nothing-reloc-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{}},
	{"nothing-junk-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{}},
	{"nothing-cut-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{}},
	{"nothing-nospace-rust22", "rust-lld 22.1.2 of rustc 1.95.0", []Cause{}},
	{"nothing-shlib-hidden-bfd", "GNU ld 2.40", []Cause{}},
	{"nothing-open62541", "https://github.com/HMIProject/open62541/issues/288", []Cause{}},
	{"nothing-aws-lc", "https://github.com/topgrade-rs/topgrade/issues/2362", []Cause{}},
	{"nothing-mprisence", "https://github.com/lazykern/mprisence/issues/82", []Cause{}},
	{"nothing-minias", "https://github.com/andrewchambers/minias/pull/10", []Cause{}},
	{"nothing-apple-duplicate", "https://github.com/rust-lang/cargo/issues/13477", []Cause{}},
	{"nothing-apple-duplicate-old", "https://github.com/thepowersgang/mrustc/issues/262", []Cause{}},
	{"nothing-apple-duplicate-warning", "https://github.com/rust-lang/git2-rs/issues/787", []Cause{}},
	{"nothing-apple-undefined", "https://github.com/rust-lang/cc-rs/issues/372", []Cause{}},
	{"nothing-apple-bitcode", "https://github.com/rust-lang/rust/issues/145981", []Cause{}},
	{"nothing-gold-plugin-bitcode", "https://github.com/sysprog21/rv32emu/pull/607", []Cause{}},
	{"nothing-msvc", "the texts of link.exe", []Cause{}},
	{"nothing-bfd-rust", "https://github.com/rust-lang/rust/issues/57596", []Cause{}},
	{"nothing-bfd-version-script", "https://github.com/rust-lang/rust/issues/63925", []Cause{}},
	{"nothing-bfd-bitcode", "https://github.com/aws/s2n-tls/pull/3968", []Cause{}},
	{"nothing-bfd-not-pic", "https://github.com/wild-linker/wild/issues/206", []Cause{}},
	{"nothing-bfd-skipping", "https://github.com/rust-lang/rust/pull/47828", []Cause{}},
	{"nothing-bfd-architecture", "https://github.com/miselin/rustic/pull/2", []Cause{}},
	{"nothing-elfclass", "https://github.com/redox-os/redox/issues/661", []Cause{}},
	{"nothing-mold-missing", "https://github.com/ZeroX-DG/moon/issues/127", []Cause{}},
	{"nothing-mold-gcc", "https://github.com/rui314/mold/issues/341", []Cause{}},
	{"nothing-mold-plugin", "https://github.com/immunant/c2rust/issues/1183", []Cause{}},
	{"nothing-mold-undefined", "https://github.com/rui314/mold/issues/1044", []Cause{}},
	{"nothing-mold-old", "https://github.com/rui314/mold/issues/223", []Cause{}},
	{"nothing-wild-undefined", "https://github.com/wild-linker/wild/issues/1562", []Cause{}},
	{"nothing-wild-version", "https://github.com/wild-linker/wild/issues/1459", []Cause{}},
	{"nothing-cmake-killed", "https://github.com/avr-rust/rust-legacy-fork/issues/153 with GNU ld named", []Cause{}},
	{"nothing-bfd-warning", "GNU ld 2.40 under rustc 1.97.0-nightly, -Clink-arg=-Wl,--warn-unresolved-symbols", []Cause{}},
}

func TestRealTexts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/texts/*.txt")
	testenv.Must(t, err)
	if len(files) != len(texts) {
		t.Errorf("got %d files in testdata/texts, want %d", len(files), len(texts))
	}
	var found int
	for _, test := range texts {
		if len(test.want) > 0 {
			found++
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log, err := os.ReadFile(filepath.Join("testdata", "texts", test.name+".txt"))
			testenv.Must(t, err)
			if diff := cmp.Diff(test.want, diagnose(t, string(log))); diff != "" {
				t.Errorf("causes in what %s prints (-want +got):\n%s\nin\n%s", test.source, diff, log)
			}
		})
	}
	if found < 60 {
		t.Errorf("got %d texts with a cause, want at least 60", found)
	}
}
