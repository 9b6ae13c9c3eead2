package targets

import "strings"

// requiredFields must be in every target's file.
var requiredFields = []string{"llvm-target", "target-pointer-width", "data-layout", "arch"}

// fieldsSince holds fields that came after schemaSince.
var fieldsSince = map[string]Release{"unsupported-cpus": {major: 1, minor: 97, pre: "dev"}}

// fileFields are the fields of a target's file and what they may hold: those of
// `rustc -Zunstable-options --print target-spec-json-schema`, of 1.95 and 1.97
// together.
var fileFields = makeFileFields()

func makeFileFields() map[string]fieldCheck {
	const (
		flavors    = "gnu gnu-lld gnu-cc gnu-lld-cc darwin darwin-lld darwin-cc darwin-lld-cc wasm-lld wasm-lld-cc unix unix-cc msvc-lld msvc em-cc bpf llbc ptx gcc ld ld.lld ld64.lld lld-link wasm-ld em"
		sanitizers = "address leak memory thread hwaddress cfi memtag shadow-call-stack kcfi kernel-address kernel-hwaddress safestack dataflow realtime"
		objects    = "dynamic-nopic-exe dynamic-pic-exe static-nopic-exe static-pic-exe dynamic-dylib static-dylib wasi-reactor-exe"
		split      = "off packed unpacked"
		abis       = "C C-unwind Rust Swift aapcs aapcs-unwind avr-interrupt avr-non-blocking-interrupt cdecl cdecl-unwind cmse-nonsecure-call cmse-nonsecure-entry custom efiapi fastcall fastcall-unwind gpu-kernel msp430-interrupt ptx-kernel riscv-interrupt-m riscv-interrupt-s rust-call rust-cold rust-invalid rust-preserve-none stdcall stdcall-unwind system system-unwind sysv64 sysv64-unwind thiscall thiscall-unwind unadjusted vectorcall vectorcall-unwind win64 win64-unwind x86-interrupt"
	)
	args := mapOf(oneOf(flavors), listOf(isText))
	objectFiles := mapOf(oneOf(objects), listOf(isText))
	fields := map[string]fieldCheck{
		"binary-format":        oneOf("coff elf mach-o wasm xcoff"),
		"code-model":           oneOf("tiny small kernel medium large"),
		"crt-objects-fallback": oneOf("false true wasm musl mingw"),
		"debuginfo-kind":       oneOf("dwarf dwarf-dsym pdb"),
		"default-visibility":   oneOf("hidden protected interposable"),
		"entry-abi":            oneOf(abis),
		"frame-pointer":        oneOf("always non-leaf may-omit"),
		"link-self-contained": recordOf(map[string]fieldCheck{
			"components": listOf(oneOf("crto libc unwind linker sanitizers mingw")),
		}, "components"),
		"linker-flavor":   oneOf(flavors),
		"lld-flavor":      oneOf("wasm darwin gnu link"),
		"llvm-floatabi":   oneOf("soft hard"),
		"merge-functions": oneOf("disabled trampolines aliases"),
		"metadata": recordOf(map[string]fieldCheck{
			"description": isText, "host_tools": isBoolean, "std": isBoolean, "tier": unsigned(64),
		}),
		"panic-strategy":               oneOf("unwind abort immediate-abort"),
		"relocation-model":             oneOf("static pic pie dynamic-no-pic ropi rwpi ropi-rwpi"),
		"relro-level":                  oneOf("full partial off none"),
		"rustc-abi":                    oneOf("x86-sse2 x86-softfloat softfloat"),
		"small-data-threshold-support": isThreshold,
		"split-debuginfo":              oneOf(split),
		"stack-probes":                 isStackProbes,
		"supported-split-debuginfo":    listOf(oneOf(split)),
		"target-c-int-width":           unsigned(16),
		"target-endian":                oneOf("big little"),
		"target-family":                isFamilies,
		"target-pointer-width":         unsigned(16),
		"tls-model":                    oneOf("global-dynamic local-dynamic initial-exec local-exec emulated"),
	}
	add := func(check fieldCheck, names string) {
		for name := range strings.FieldsSeq(names) {
			fields[name] = check
		}
	}
	add(isText, `abi arch archive-format cpu data-layout default-codegen-backend dll-prefix dll-suffix entry-name env exe-suffix
		features link-script linker llvm-abiname llvm-mcount-intrinsic llvm-target os staticlib-prefix staticlib-suffix
		target-mcount vendor`)
	add(isBoolean, `abi-return-struct-as-int allow-asm allows-weak-linkage atomic-cas crt-static-allows-dylibs crt-static-default
		crt-static-respected default-uwtable direct-access-external-data disable-redzone dll-tls-export dynamic-linking
		eh-frame-header emit-debug-gdb-scripts executables function-sections generate-arange-section has-rpath
		has-thread-local has-thumb-interworking is-like-aix is-like-android is-like-darwin is-like-gpu is-like-msvc
		is-like-solaris is-like-vexos is-like-wasm is-like-windows limit-rdylib-exports linker-is-gnu
		main-needs-argc-argv need-explicit-cpu no-builtins no-default-libraries obj-is-bitcode only-cdylib
		plt-by-default position-independent-executables relax-elf-relocations requires-lto requires-uwtable
		simd-types-indirect singlethread static-initializer-must-be-acyclic static-position-independent-executables
		supports-stack-protector supports-xray trap-unreachable use-ctors-section`)
	add(unsigned(64), "c-enum-min-bits default-codegen-units max-atomic-width min-atomic-width min-global-align")
	add(unsigned(32), "default-dwarf-version")
	add(listOf(isText), "asm-args link-env link-env-remove llvm-args override-export-symbols unsupported-cpus")
	add(listOf(oneOf(sanitizers)), "default-sanitizers supported-sanitizers")
	add(args, "late-link-args late-link-args-dynamic late-link-args-static post-link-args pre-link-args")
	add(objectFiles, "post-link-objects post-link-objects-fallback pre-link-objects pre-link-objects-fallback")
	return fields
}
