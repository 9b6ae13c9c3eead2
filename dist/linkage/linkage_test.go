package linkage_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"x.go/dist/linkage"
)

// The files of testdata come from Debian 12 and `void f(void) {}` in w.c
// with gcc 12.2, binutils 2.40, mold 1.10.1 and the LLD of Rust 1.95.0:
//
//	gcc -shared -nostdlib -s -fno-asynchronous-unwind-tables \
//	    -Wl,-z,max-page-size=4096,-z,common-page-size=4096,--build-id=none \
//	    -B$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld \
//	    -fuse-ld=$L w.c -o $L.so       # lld, gold, mold; bfd with -z noseparate-code
//	strip --remove-section=.comment -o $L-nocomment.so $L.so
//
// The three others have a constructor and call a function; mold-norelro.so has
// -z norelro, and an object that mold joined (-r) went into mold-then-$L.so.
func TestReadFixtures(t *testing.T) {
	const gcc = "GCC: (Debian 12.2.0-14+deb12u1) 12.2.0"
	type verdict struct {
		Linker    linkage.Linker
		Version   string
		Layout    linkage.Linker
		Doubt     string
		Producers []string
	}
	tests := []struct {
		file string
		want verdict
	}{
		{"lld.so", verdict{linkage.LLD, "22.1.2", linkage.LLD, "", []string{gcc}}},
		{"bfd.so", verdict{linkage.BFD, "", linkage.BFD, "", []string{gcc}}},
		{"gold.so", verdict{linkage.Gold, "1.16", linkage.Gold, "", []string{gcc}}},
		{"mold.so", verdict{linkage.Mold, "1.10.1", linkage.Mold, "", []string{gcc}}},
		{"mold-norelro.so", verdict{linkage.Mold, "1.10.1", linkage.Mold, "", []string{gcc}}},
		{"mold-then-lld.so", verdict{linkage.LLD, "14.0.6", linkage.LLD, "", []string{gcc}}},
		{"mold-then-bfd.so", verdict{linkage.Unknown, "", linkage.BFD, "mold left its mark, perhaps in an object, but BFD writes files laid out like this", []string{gcc}}},
		{"lld-nocomment.so", verdict{linkage.Unknown, "", linkage.LLD, "", nil}},
		{"bfd-nocomment.so", verdict{linkage.Unknown, "", linkage.BFD, "", nil}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			info, err := linkage.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			got := verdict{info.Linker, info.LinkerVersion, info.Layout, info.Doubt, info.Producers}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			if info.Kind != linkage.Shared || info.Machine != elf.EM_X86_64 || info.Class != elf.ELFCLASS64 {
				t.Errorf("got %s %s %s, want a 64-bit x86-64 shared object", info.Class, info.Machine, info.Kind)
			}
		})
	}
}

// A mark that an object brought along must not pass for the linker's own.
func TestMarkAgainstLayout(t *testing.T) {
	const gcc, lld = "GCC: (Debian 12.2.0-14+deb12u1) 12.2.0", "Linker: LLD 22.1.2"
	tests := []struct {
		name, file, was, is string
	}{
		{"brought by an object", "bfd.so", gcc, "Linker: LLD 99.0.0 (brought by a .o)  "},
		// Without LLD's mark, LLD's layout must not pass for GNU ld.
		{"wiped", "lld.so", lld, "clang version 1.2 "},
		// A linker that this package does not know is not taken for GNU ld.
		{"unknown linker", "bfd.so", "GCC: (Debian", "Linker: Tame"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bytes.Replace(readFixture(t, tt.file), []byte(tt.was), []byte(tt.is), 1)
			info, err := linkage.Read(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if info.Linker != linkage.Unknown || info.Doubt == "" {
				t.Errorf("got linker %s, doubt %q; want unknown with a doubt", info.Linker, info.Doubt)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	type name struct {
		Linker  linkage.Linker
		Version string
	}
	tests := map[string]name{
		"Linker: LLD 22.1.2 (https://github.com/rust-lang/llvm-project.git 05f6)": {linkage.LLD, "22.1.2"},
		"Linker: Debian LLD 14.0.6":                                                {linkage.LLD, "14.0.6"},
		"Linker: Ubuntu LLD 18.1.3":                                                {linkage.LLD, "18.1.3"},
		"Linker: Apple LLD 17.0.6":                                                 {linkage.LLD, "17.0.6"},
		"Linker: Clear Linux OS LLD 19.1.0 (/build/llvm 1a2b)":                     {linkage.LLD, "19.1.0"},
		"Linker: Android (11349228, +pgo, +lto, based on r487747e) LLD 17.0.2 (x)": {linkage.LLD, "17.0.2"},
		"LLD 19.1.7 (FreeBSD llvmorg-19.1.7-0-gcd708029e0b2-1500000)":              {linkage.LLD, "19.1.7"},
		"Debian LLD 19.0.0, compatible with GNU linkers\n":                         {linkage.LLD, "19.0.0"},
		"Homebrew LLD 18.1.8 (compatible with GNU linkers)":                        {linkage.LLD, "18.1.8"},
		"mold 2.40.4 (ad3f; compatible with GNU ld)":                               {linkage.Mold, "2.40.4"},
		"Linker: Wild version 0.7.0 (6321) (compatible with GNU linkers)":          {linkage.Wild, "0.7.0"},
		"GNU ld (GNU Binutils for Debian) 2.40":                                    {linkage.BFD, "2.40"},
		"GNU ld version 2.41-37.fc40":                                              {linkage.BFD, "2.41-37.fc40"},
		"GNU gold (GNU Binutils for Debian 2.40) 1.16":                             {linkage.Gold, "1.16"},
		"gold 1.16":                                {linkage.Gold, "1.16"},
		"ld.lld: error: unable to find LLD 5.0":    {},
		"rustc version 1.95.0 (59807616e)":         {},
		"Debian clang version 14.0.6":              {},
		"the linker LLD is not on PATH":            {},
		"qld 0.1.0 (compatible with GNU linkers)":  {},
		"GCC: (Debian 12.2.0-14+deb12u1) 12.2.0":   {},
		"note: run `ld.lld` to see that LLD 14.0 ": {},
	}
	for line, want := range tests {
		linker, version := linkage.Named(line)
		if diff := cmp.Diff(want, name{linker, version}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

func TestReadNotELF(t *testing.T) {
	for _, in := range []string{"", "\x7fEL", "#!/bin/sh\n", "INPUT(libLLVM.so.22.1-rust-1.95.0-stable)\n", "!<arch>\n"} {
		if _, err := linkage.Read(bytes.NewReader([]byte(in))); !errors.Is(err, linkage.ErrNotELF) {
			t.Errorf("Read(%q): got %v, want ErrNotELF", in, err)
		}
	}
}

// Every proper prefix is either an error or, once all headers are in, a result:
// never a panic and never an unbounded read.
func TestReadTruncated(t *testing.T) {
	for _, name := range []string{"lld.so", "gold.so"} {
		b := readFixture(t, name)
		for n := range b {
			info, err := linkage.Read(bytes.NewReader(b[:n]))
			var format *linkage.FormatError
			if err != nil && !errors.As(err, &format) && !errors.Is(err, linkage.ErrNotELF) {
				t.Fatalf("%s cut to %d bytes: got %v, want a FormatError", name, n, err)
			}
			if err == nil && n < len(b)-64 {
				t.Fatalf("%s cut to %d of %d bytes: got linker %s, want an error", name, n, len(b), info.Linker)
			}
		}
	}
}

func TestReadLimits(t *testing.T) {
	le16 := func(off int, v uint16) func([]byte) {
		return func(b []byte) { b[off], b[off+1] = byte(v), byte(v>>8) }
	}
	tests := []struct {
		name   string
		mutate func(b []byte)
	}{
		{"more segments than the limit", le16(0x38, 0xffff)},
		{"names in a section that is not there", le16(0x3e, 0xfffe)},
		{"small section headers", le16(0x3a, 8)},
		{"small program headers", le16(0x36, 8)},
		{"unknown class", func(b []byte) { b[4] = 9 }},
		{"unknown byte order", func(b []byte) { b[5] = 9 }},
		{"section headers out of the file", func(b []byte) { b[0x2f] = 0x7f }},
		{"program headers out of the file", func(b []byte) { b[0x27] = 0x7f }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := readFixture(t, "lld.so")
			tt.mutate(b)
			var format *linkage.FormatError
			if info, err := linkage.Read(bytes.NewReader(b)); !errors.As(err, &format) {
				t.Errorf("got %+v, %v; want a FormatError", info, err)
			}
		})
	}
}

func TestCompareGlibc(t *testing.T) {
	got := []string{"2.17", "2.2.5", "", "2.36", "2.4", "2.2"}
	slices.SortFunc(got, linkage.CompareGlibc)
	want := []string{"", "2.2", "2.2.5", "2.4", "2.17", "2.36"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"lld.so", "bfd.so", "gold.so", "mold.so", "lld-nocomment.so"} {
		f.Add(readFixture(f, name))
	}
	f.Add([]byte("INPUT(libLLVM.so.22.1-rust-1.95.0-stable)\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := linkage.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if info.Linker != linkage.Unknown && len(info.Evidence) == 0 {
			t.Errorf("got linker %s without evidence", info.Linker)
		}
		if n := len(info.Needed) + len(info.Producers) + len(info.Evidence); n > 4096 {
			t.Errorf("got %d strings from %d bytes", n, len(b))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	r := bytes.NewReader(readFixture(b, "lld.so"))
	for b.Loop() {
		if _, err := linkage.Read(r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSectionAt(t *testing.T) {
	b := readFixture(t, "lld.so")
	r := bytes.NewReader(b)
	for want, at := range map[string]int{
		"the headers": 8,
		".comment":    bytes.Index(b, []byte("Linker: LLD")),
		".shstrtab":   bytes.Index(b, []byte(".relro_padding")),
	} {
		got, err := linkage.SectionAt(r, int64(at))
		if err != nil || got != want {
			t.Errorf("byte %d: got %q, %v; want %q", at, got, err, want)
		}
	}
}
