package link

import (
	"strings"
	"testing"
)

// The lists are those of rustc 1.95.0's own notes.
func TestCompatibleFlavors(t *testing.T) {
	for _, tt := range []struct{ targets, want string }{
		{"gnu gnu-lld gnu-cc gnu-lld-cc", "gnu, gnu-lld, gnu-cc, gnu-lld-cc, gcc, ld, ld.lld"},
		{"msvc msvc-lld", "msvc-lld, msvc, lld-link"},
		{"darwin darwin-cc", "darwin, darwin-lld, darwin-cc, darwin-lld-cc, gcc, ld, ld64.lld"},
		{"wasm-lld wasm-lld-cc", "wasm-lld, wasm-lld-cc, gcc, wasm-ld"},
		{"unix unix-cc", "unix, unix-cc, gcc, ld"},
		{"em-cc", "em-cc, em"},
		{"llbc", "llbc"},
		{"ptx", "llbc, ptx"},
		{"bpf", "bpf"},
	} {
		for name := range strings.FieldsSeq(tt.targets) {
			if got := compatibleFlavors(mustFlavor(name)); got != tt.want {
				t.Errorf("%s: got %q, want %q", name, got, tt.want)
			}
		}
	}
}

func TestFlavorOptionApply(t *testing.T) {
	for _, tt := range []struct{ option, target, want string }{
		{"gcc", "gnu-lld-cc", "gnu-lld-cc"},
		{"gnu-cc", "gnu-lld-cc", "gnu-cc"},
		{"ld", "gnu-lld-cc", "gnu"},
		{"ld.lld", "gnu-cc", "gnu-lld"},
		{"ld", "wasm-lld", "wasm-lld"},
		{"gcc", "unix-cc", "unix-cc"},
		{"ld", "unix-cc", "unix"},
		{"lld-link", "msvc", "msvc-lld"},
		{"gcc", "em-cc", "em-cc"},
		{"llbc", "ptx", "llbc"},
		{"ptx", "ptx", "ptx"},
		{"unix", "unix-cc", "unix"},
	} {
		o, ok := parseFlavorOption(tt.option)
		if !ok {
			t.Fatalf("no option %q", tt.option)
		}
		if got := o.apply(mustFlavor(tt.target)).String(); got != tt.want {
			t.Errorf("%s on %s: got %s, want %s", tt.option, tt.target, got, tt.want)
		}
	}
}

func TestStemHints(t *testing.T) {
	for _, tt := range []struct{ program, gnuLLDCC string }{
		{"cc", "gnu-lld-cc"},
		{"/any/path/cc", "gnu-lld-cc"},
		{"mylinker", "gnu-lld-cc"},
		{"cc_wrapper.sh", "gnu-lld-cc"},
		{"ld64.lld", "gnu-lld-cc"},
		{"clang-cl", "gnu-lld-cc"},
		{"gcc", "gnu-cc"},
		{"gcc.exe", "gnu-cc"},
		{"gcc-", "gnu-cc"},
		{"x86_64-linux-gnu-gcc-12", "gnu-cc"},
		{"/opt/x-clang++", "gnu-cc"},
		{"xgcc", "gnu-lld-cc"},
		{"emcc", "gnu-cc"},
		{"ld", "gnu"},
		{"ld.lld", "gnu"},
		{"x-ld", "gnu"},
		{"link.exe", "gnu"},
		{"lld", "gnu-lld"},
		{"rust-lld", "gnu-lld"},
		{"x-wasm-ld", "gnu-lld"},
		{"lld-link.exe", "gnu-lld"},
		{"dir/", "gnu-lld-cc"},
	} {
		cc, lld, _ := stemHints(tt.program)
		if got := withHints(mustFlavor("gnu-lld-cc"), cc, lld).String(); got != tt.gnuLLDCC {
			t.Errorf("%s: got %s, want %s", tt.program, got, tt.gnuLLDCC)
		}
	}
	if _, _, llbc := stemHints("llvm-bitcode-linker"); !llbc {
		t.Error("llvm-bitcode-linker: got no llbc")
	}
}

// The wants are what Rust's Path::file_stem gives.
func TestFileStem(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"a", "a"}, {"a.b", "a"}, {"a.b.c", "a.b"}, {".a", ".a"}, {"..", ""}, {".", ""}, {"", ""}, {"/", ""},
		{"d/a.x", "a"}, {"d/", "d"}, {"d/.", "d"}, {"d/./", "d"}, {"a.", "a"}, {"..a", "."},
	} {
		if got := fileStem(tt.path); got != tt.want {
			t.Errorf("fileStem(%q): got %q, want %q", tt.path, got, tt.want)
		}
	}
}
