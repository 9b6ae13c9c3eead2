package config

import "x.go/targets"

// Build is [build].
type Build struct {
	Build                       targets.Triple   `toml:"build"`
	Description                 string           `toml:"description"`
	Host                        []targets.Triple `toml:"host"`
	Target                      []targets.Triple `toml:"target"`
	BuildDir                    string           `toml:"build-dir"`
	Cargo                       string           `toml:"cargo"`
	Rustc                       string           `toml:"rustc"`
	Rustdoc                     string           `toml:"rustdoc"`
	Rustfmt                     string           `toml:"rustfmt"`
	CargoClippy                 string           `toml:"cargo-clippy"`
	Docs                        bool             `toml:"docs"`
	CompilerDocs                bool             `toml:"compiler-docs"`
	LibraryDocsPrivateItems     bool             `toml:"library-docs-private-items"`
	DocsMinification            bool             `toml:"docs-minification"`
	Submodules                  Tristate         `toml:"submodules"`
	GDB                         string           `toml:"gdb"`
	LLDB                        string           `toml:"lldb"`
	NodeJS                      string           `toml:"nodejs"`
	NPM                         string           `toml:"npm"`
	Yarn                        string           `toml:"yarn"`
	Python                      string           `toml:"python"`
	WindowsRC                   string           `toml:"windows-rc"`
	Reuse                       string           `toml:"reuse"`
	LockedDeps                  bool             `toml:"locked-deps"`
	Vendor                      Tristate         `toml:"vendor"`
	FullBootstrap               bool             `toml:"full-bootstrap"`
	BootstrapCachePath          string           `toml:"bootstrap-cache-path"`
	Extended                    bool             `toml:"extended"`
	Tools                       []string         `toml:"tools"`
	Verbose                     int              `toml:"verbose"`
	Sanitizers                  bool             `toml:"sanitizers"`
	Profiler                    bool             `toml:"profiler"`
	CargoNativeStatic           bool             `toml:"cargo-native-static"`
	LowPriority                 bool             `toml:"low-priority"`
	ConfigureArgs               []string         `toml:"configure-args"`
	LocalRebuild                bool             `toml:"local-rebuild"`
	PrintStepTimings            bool             `toml:"print-step-timings"`
	PrintStepRUsage             bool             `toml:"print-step-rusage"`
	CheckStage                  int              `toml:"check-stage"`
	DocStage                    int              `toml:"doc-stage"`
	BuildStage                  int              `toml:"build-stage"`
	TestStage                   int              `toml:"test-stage"`
	InstallStage                int              `toml:"install-stage"`
	DistStage                   int              `toml:"dist-stage"`
	BenchStage                  int              `toml:"bench-stage"`
	PatchBinariesForNix         Tristate         `toml:"patch-binaries-for-nix"`
	Metrics                     bool             `toml:"metrics"`
	AndroidNDK                  string           `toml:"android-ndk"`
	OptimizedCompilerBuiltins   StringOrBool     `toml:"optimized-compiler-builtins"`
	Jobs                        int              `toml:"jobs"`
	CompiletestDiffTool         string           `toml:"compiletest-diff-tool"`
	CompiletestAllowStage0      bool             `toml:"compiletest-allow-stage0"`
	CompiletestUseStage0Libtest Tristate         `toml:"compiletest-use-stage0-libtest"`
	TidyExtraChecks             string           `toml:"tidy-extra-checks"`
	CCache                      StringOrBool     `toml:"ccache"`
	Exclude                     []string         `toml:"exclude"`
	RecordFailedTestsPath       string           `toml:"record_failed_tests_path"`
	SDE                         string           `toml:"sde"`
	// Tool holds [build.tool.NAME] by name.
	Tool map[string]Tool
}

// Tool is [build.tool.NAME].
type Tool struct {
	Features []string `toml:"features"`
}

// Install is [install].
type Install struct {
	Prefix     string `toml:"prefix"`
	Sysconfdir string `toml:"sysconfdir"`
	Docdir     string `toml:"docdir"`
	Bindir     string `toml:"bindir"`
	Libdir     string `toml:"libdir"`
	Mandir     string `toml:"mandir"`
	Datadir    string `toml:"datadir"`
}

// LLVM is [llvm].
type LLVM struct {
	Optimize            bool              `toml:"optimize"`
	ThinLTO             bool              `toml:"thin-lto"`
	ReleaseDebuginfo    bool              `toml:"release-debuginfo"`
	Assertions          bool              `toml:"assertions"`
	Tests               bool              `toml:"tests"`
	Enzyme              bool              `toml:"enzyme"`
	Plugins             bool              `toml:"plugins"`
	StaticLibStdCPP     bool              `toml:"static-libstdcpp"`
	LibZstd             bool              `toml:"libzstd"`
	Ninja               bool              `toml:"ninja"`
	Targets             string            `toml:"targets"`
	ExperimentalTargets string            `toml:"experimental-targets"`
	LinkJobs            int               `toml:"link-jobs"`
	LinkShared          Tristate          `toml:"link-shared"`
	VersionSuffix       string            `toml:"version-suffix"`
	ClangCL             string            `toml:"clang-cl"`
	CFlags              string            `toml:"cflags"`
	CXXFlags            string            `toml:"cxxflags"`
	LDFlags             string            `toml:"ldflags"`
	UseLibCXX           bool              `toml:"use-libcxx"`
	UseLinker           string            `toml:"use-linker"`
	AllowOldToolchain   bool              `toml:"allow-old-toolchain"`
	Offload             bool              `toml:"offload"`
	OffloadClangDir     string            `toml:"offload-clang-dir"`
	Polly               bool              `toml:"polly"`
	Clang               bool              `toml:"clang"`
	EnableWarnings      bool              `toml:"enable-warnings"`
	DownloadCILLVM      StringOrBool      `toml:"download-ci-llvm"`
	BuildConfig         map[string]string `toml:"build-config"`
}

// GCC is [gcc].
type GCC struct {
	DownloadCIGCC    bool   `toml:"download-ci-gcc"`
	LibGCCJITLibsDir string `toml:"libgccjit-libs-dir"`
}

// Rust is [rust].
type Rust struct {
	Optimize                OptLevel       `toml:"optimize"`
	Debug                   bool           `toml:"debug"`
	CodegenUnits            int            `toml:"codegen-units"`
	CodegenUnitsStd         int            `toml:"codegen-units-std"`
	DebugAssertions         Tristate       `toml:"debug-assertions"`
	RandomizeLayout         bool           `toml:"randomize-layout"`
	DebugAssertionsStd      Tristate       `toml:"debug-assertions-std"`
	DebugAssertionsTools    Tristate       `toml:"debug-assertions-tools"`
	OverflowChecks          Tristate       `toml:"overflow-checks"`
	OverflowChecksStd       Tristate       `toml:"overflow-checks-std"`
	DebugLogging            Tristate       `toml:"debug-logging"`
	DebuginfoLevel          DebuginfoLevel `toml:"debuginfo-level"`
	DebuginfoLevelRustc     DebuginfoLevel `toml:"debuginfo-level-rustc"`
	DebuginfoLevelStd       DebuginfoLevel `toml:"debuginfo-level-std"`
	DebuginfoLevelTools     DebuginfoLevel `toml:"debuginfo-level-tools"`
	DebuginfoLevelTests     DebuginfoLevel `toml:"debuginfo-level-tests"`
	CompressDebuginfo       string         `toml:"compress-debuginfo"`
	Backtrace               bool           `toml:"backtrace"`
	Incremental             bool           `toml:"incremental"`
	DefaultLinker           string         `toml:"default-linker"`
	Channel                 string         `toml:"channel"`
	MuslRoot                string         `toml:"musl-root"`
	RPath                   bool           `toml:"rpath"`
	RustFlags               []string       `toml:"rustflags"`
	Strip                   bool           `toml:"strip"`
	FramePointers           bool           `toml:"frame-pointers"`
	StackProtector          string         `toml:"stack-protector"`
	VerboseTests            Tristate       `toml:"verbose-tests"`
	OptimizeTests           bool           `toml:"optimize-tests"`
	CodegenTests            bool           `toml:"codegen-tests"`
	OmitGitHash             Tristate       `toml:"omit-git-hash"`
	DistSrc                 bool           `toml:"dist-src"`
	SaveToolstates          string         `toml:"save-toolstates"`
	CodegenBackends         []string       `toml:"codegen-backends"`
	LLVMBitcodeLinker       bool           `toml:"llvm-bitcode-linker"`
	LLD                     Tristate       `toml:"lld"`
	BootstrapOverrideLLD    LLDMode        `toml:"bootstrap-override-lld"`
	UseLLD                  LLDMode        `toml:"use-lld"`
	LLVMTools               bool           `toml:"llvm-tools"`
	DenyWarnings            bool           `toml:"deny-warnings"`
	BacktraceOnICE          bool           `toml:"backtrace-on-ice"`
	VerifyLLVMIR            bool           `toml:"verify-llvm-ir"`
	ThinLTOImportInstrLimit int            `toml:"thin-lto-import-instr-limit"`
	RemapDebuginfo          bool           `toml:"remap-debuginfo"`
	OverrideAllocator       string         `toml:"override-allocator"`
	Jemalloc                bool           `toml:"jemalloc"`
	TestCompareMode         bool           `toml:"test-compare-mode"`
	LLVMLibunwind           string         `toml:"llvm-libunwind"`
	ControlFlowGuard        bool           `toml:"control-flow-guard"`
	EHContGuard             bool           `toml:"ehcont-guard"`
	NewSymbolMangling       Tristate       `toml:"new-symbol-mangling"`
	AnnotateMovesSizeLimit  int            `toml:"annotate-moves-size-limit"`
	ProfileGenerate         string         `toml:"profile-generate"`
	ProfileUse              string         `toml:"profile-use"`
	DownloadRustc           StringOrBool   `toml:"download-rustc"`
	LTO                     string         `toml:"lto"`
	ValidateMIROpts         int            `toml:"validate-mir-opts"`
	StdFeatures             []string       `toml:"std-features"`
	BreakOnICE              bool           `toml:"break-on-ice"`
	ParallelFrontendThreads int            `toml:"parallel-frontend-threads"`
}

// Dist is [dist] of bootstrap.toml.
type Dist struct {
	SignFolder         string   `toml:"sign-folder"`
	UploadAddr         string   `toml:"upload-addr"`
	SrcTarball         bool     `toml:"src-tarball"`
	CompressionFormats []string `toml:"compression-formats"`
	CompressionProfile string   `toml:"compression-profile"`
	IncludeMingwLinker bool     `toml:"include-mingw-linker"`
	Vendor             Tristate `toml:"vendor"`
}

// Target is [target.TRIPLE].
type Target struct {
	CC                         string       `toml:"cc"`
	CXX                        string       `toml:"cxx"`
	AR                         string       `toml:"ar"`
	Ranlib                     string       `toml:"ranlib"`
	DefaultLinker              string       `toml:"default-linker"`
	DefaultLinkerLinuxOverride LinuxLinker  `toml:"default-linker-linux-override"`
	Linker                     string       `toml:"linker"`
	SplitDebuginfo             string       `toml:"split-debuginfo"`
	LLVMConfig                 string       `toml:"llvm-config"`
	LLVMHasRustPatches         Tristate     `toml:"llvm-has-rust-patches"`
	LLVMFilecheck              string       `toml:"llvm-filecheck"`
	LLVMLibunwind              string       `toml:"llvm-libunwind"`
	Sanitizers                 Tristate     `toml:"sanitizers"`
	Profiler                   StringOrBool `toml:"profiler"`
	RPath                      Tristate     `toml:"rpath"`
	RustFlags                  []string     `toml:"rustflags"`
	CRTStatic                  Tristate     `toml:"crt-static"`
	MuslRoot                   string       `toml:"musl-root"`
	MuslLibdir                 string       `toml:"musl-libdir"`
	WASIRoot                   string       `toml:"wasi-root"`
	QEMURootfs                 string       `toml:"qemu-rootfs"`
	NoStd                      Tristate     `toml:"no-std"`
	CodegenBackends            []string     `toml:"codegen-backends"`
	Runner                     string       `toml:"runner"`
	OptimizedCompilerBuiltins  StringOrBool `toml:"optimized-compiler-builtins"`
	Jemalloc                   Tristate     `toml:"jemalloc"`
	OverrideAllocator          string       `toml:"override-allocator"`
}

// PGORustc is [pgo.rustc].
type PGORustc struct {
	Use      string `toml:"use"`
	Generate string `toml:"generate"`
}

// XLLD is [lld] of x.toml.
type XLLD struct {
	Binary       string       `toml:"binary"`
	Wrapper      string       `toml:"wrapper"`
	SiteWrapper  string       `toml:"site-wrapper"`
	Threads      Threads      `toml:"threads"`
	Jobserver    bool         `toml:"jobserver"`
	BakedDefault BakedDefault `toml:"baked-default"`
}

// Bounds returns what bounds the threads of LLD by both keys, "" if nothing does.
func (x XLLD) Bounds() Threads {
	switch t := x.Threads.Without(threadsOff); {
	case !x.Jobserver || t.Has(ThreadsJobserver):
		return t
	case t == "":
		return ThreadsJobserver
	default:
		return t + "," + ThreadsJobserver
	}
}

// XComponent is [component.NAME] of x.toml: a component that Rust does not have.
type XComponent struct {
	// Targets are triples, or "*" alone.
	Targets  []string `toml:"targets"`
	Profiles []string `toml:"profiles"`
	Rename   string   `toml:"rename"`
	Required bool     `toml:"required"`
}

// XBootstrap is [bootstrap] of x.toml.
type XBootstrap struct {
	AllowKeys []string `toml:"allow-keys"`
}

// XDist is [dist] of x.toml.
type XDist struct {
	MaxMemory int64 `toml:"max-memory"`
	BCJ       bool  `toml:"bcj"`
	ReadBack  bool  `toml:"read-back"`
}
