package inspect_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/inspect"
	"x.go/dist/linkage"
	"x.go/tests/testenv"
)

// TestArchives holds members against those that the archivers list.
func TestArchives(t *testing.T) {
	t.Parallel()
	const long = "an_object_with_a_very_long_name.o"
	b := newBench(t, map[string]string{"f.c": "int f(void) { return 1; }\n", "note.txt": "no object\n", "odd": "x"})
	b.run("gcc", "-c", "f.c")
	b.run("cp", "f.o", long)
	b.run("ar", "rcs", "gnu.a", "f.o", long, "note.txt", "odd", "f.o")
	b.run("ar", "rcS", "plain.a", "f.o", "f.o")
	b.run("ar", "qcS", "twice.a", "f.o", "f.o")
	b.run("ar", "rcsT", "thin.a", "f.o", long)
	b.run("ar", "rcs", "empty.a")
	want := map[string]inspect.Format{"gnu.a": inspect.Archive, "plain.a": inspect.Archive, "twice.a": inspect.Archive, "thin.a": inspect.Thin, "empty.a": inspect.Archive}
	if ar := has("llvm-ar", "llvm-ar-14"); ar != "" {
		for _, format := range []string{"bsd", "darwin", "gnu"} {
			name := "llvm-" + format + ".a"
			b.run(ar, "--format="+format, "rcs", name, "f.o", long, "odd")
			want[name] = inspect.Archive
		}
	}
	for name, format := range want {
		f := b.read(name)
		if f.Format != format {
			t.Errorf("%s: got a %q, want %q", name, f.Format, format)
		}
		var got []string
		for _, m := range f.Members {
			got = append(got, m.Member)
			if object := strings.HasSuffix(m.Member, ".o"); object != (m.Kind == linkage.Relocatable) {
				t.Errorf("%s: member %q is %q", name, m.Member, m.Kind)
			}
		}
		list := b.run("ar", "t", name)
		if strings.Contains(name, "bsd") || strings.Contains(name, "darwin") {
			list = b.run(has("llvm-ar", "llvm-ar-14"), "t", name)
		}
		if d := cmp.Diff(strings.Fields(list), append([]string{}, got...)); d != "" {
			t.Errorf("%s (-listed +got)\n%s", name, d)
		}
	}
}

// TestNesting has archives in archives, in all the ways of keeping them.
func TestNesting(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"f.c": "int f(void) { return 1; }\n"})
	testenv.Must(t, os.Mkdir(b.path("sub"), 0o755))
	b.run("gcc", "-c", "f.c")
	b.run("cp", "f.o", "sub/an_object_with_a_long_name.o")
	b.run("ar", "rcs", "sub/inner.a", "f.o", "sub/an_object_with_a_long_name.o")
	b.run("ar", "rcs", "outer.a", "sub/inner.a")
	b.run("ar", "rcsT", "thin.a", "sub/inner.a")
	var names []string
	f := b.read("outer.a")
	for _, m := range f.Members[0].Members {
		names = append(names, f.Members[0].Member+":"+m.Member)
	}
	for _, m := range b.read("thin.a").Members { // ar flattens
		names = append(names, m.Member)
	}
	want := []string{"inner.a:f.o", "inner.a:an_object_with_a_long_name.o", "sub/inner.a:f.o", "sub/inner.a:an_object_with_a_long_name.o"}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	deep := "sub/inner.a"
	for i := range 6 {
		name := fmt.Sprintf("deep%d.a", i)
		b.run("ar", "rcs", name, deep)
		deep = name
	}
	if _, err := inspect.Read(b.path(deep), inspect.Options{}); err == nil || !strings.Contains(err.Error(), "more than 4 deep") {
		t.Errorf("got %v, want an error about the depth", err)
	}
	b.run("rm", "f.o")
	b.run("sh", "-c", "echo > f.c; ar rcsT self.a sub/inner.a f.c; rm f.c")
	if f, err := inspect.Read(b.path("self.a"), inspect.Options{}); err == nil || len(f.Members) != 3 || f.Members[2].Failed == "" {
		t.Errorf("got %+v, %v; want an error of the member that is gone, and the others", f.Members, err)
	}
}

func TestMachines(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"f.c": "int f(void) { return 1; }\n"})
	testenv.Need(t, "clang")
	members := []string{"rcs", "all.a"}
	want := map[string]string{}
	for machine, target := range map[string]string{
		"x86_64": "x86_64-linux-gnu", "i386": "i686-linux-gnu", "x32": "x86_64-linux-gnux32", "aarch64": "aarch64-linux-gnu", "aarch64_be": "aarch64_be-linux-gnu",
		"arm": "armv7-linux-gnueabihf", "powerpc64le": "powerpc64le-linux-gnu", "powerpc64": "powerpc64-linux-gnu", "powerpc": "powerpc-linux-gnu",
		"s390x": "s390x-linux-gnu", "riscv64": "riscv64-linux-gnu", "mips": "mips-linux-gnu", "mipsel": "mipsel-linux-gnu", "mips64": "mips64-linux-gnuabi64", "sparc64": "sparc64-linux-gnu",
	} {
		if _, err := b.try("clang", "-target", target, "-c", "-o", machine+".o", "f.c"); err != nil {
			continue // this clang does not know it
		}
		f := b.read(machine + ".o")
		if f.Machine != machine {
			t.Errorf("%s: got %q", target, f.Machine)
		}
		want[machine+".o"] = machine
		members = append(members, machine+".o")
	}
	for name, target := range map[string]string{"mac.o": "arm64-apple-darwin", "windows.o": "x86_64-pc-windows-msvc"} {
		if _, err := b.try("clang", "-target", target, "-c", "-o", name, "f.c"); err == nil {
			want[name] = map[string]string{"mac.o": "aarch64", "windows.o": "x86_64"}[name]
			members = append(members, name)
		}
	}
	b.run("cp", "x86_64.o", "more.o")
	want["more.o"] = "x86_64"
	b.run("ar", append(members, "more.o")...)
	f := b.read("all.a")
	got := map[string]string{}
	for _, m := range f.Members {
		got[m.Member] = m.Machine
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if f.Machine != "x86_64" || len(f.Foreign) != len(want)-2 {
		t.Errorf("got machine %q, foreign %v; want x86_64, all others but %d", f.Machine, f.Foreign, 2)
	}
}

// arMember writes a member as ar does.
func arMember(name string, size, content string) string {
	s := fmt.Sprintf("%-16s%-12s%-6s%-6s%-8s%-10s`\n%s", name, "0", "0", "0", "644", size, content)
	return s + strings.Repeat("\n", len(s)%2)
}

func TestMalformedArchives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		data   string
		offset int64
	}{
		"cut header":       {"!<arch>\n" + arMember("f.o/", "4", "abcd")[:30], 8},
		"no end of header": {"!<arch>\n" + strings.Replace(arMember("f.o/", "4", "abcd"), "`", "'", 1), 66},
		"size no number":   {"!<arch>\n" + arMember("f.o/", "-4", "abcd"), 56},
		"no size":          {"!<arch>\n" + arMember("f.o/", "", "abcd"), 56},
		"size beyond":      {"!<arch>\n" + arMember("f.o/", "9999999999", "abcd"), 56},
		"name beyond":      {"!<arch>\n" + arMember("/7", "4", "abcd"), 8},
		"name of BSD":      {"!<arch>\n" + arMember("#1/20", "4", "abcd"), 8},
		"name no number":   {"!<arch>\n" + arMember("/x", "4", "abcd"), 8},
		"nested, not thin": {"!<arch>\n" + arMember("//", "4", "f.o\n") + arMember("/0:8", "4", "abcd"), 72},
		"second member":    {"!<arch>\n" + arMember("f.o/", "4", "abcd") + "rubbish", 72},
		"no name":          {"!<arch>\n" + arMember("", "4", "abcd"), 8},
		"names beyond":     {"!<arch>\n" + arMember("//", "400", "abcd"), 56},
	} {
		path := filepath.Join(dir, "lib.a")
		testenv.Must(t, os.WriteFile(path, []byte(tt.data), 0o644))
		_, err := inspect.Read(path, inspect.Options{})
		var format *inspect.ArchiveError
		if !errors.As(err, &format) || format.Offset != tt.offset {
			t.Errorf("%s: got %v, want an error at offset %#x", name, err, tt.offset)
		}
	}
}

// TestMalformedMember reads the members around a broken one.
func TestMalformedMember(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lib.a")
	broken := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 20)
	testenv.Must(t, os.WriteFile(path, []byte("!<arch>\n"+arMember("a.txt/", "4", "abcd")+arMember("b.o/", fmt.Sprint(len(broken)), broken)+arMember("c.txt/", "4", "abcd")), 0o644))
	f, err := inspect.Read(path, inspect.Options{})
	var format *linkage.FormatError
	if !errors.As(err, &format) || !strings.Contains(err.Error(), `member "b.o"`) {
		t.Errorf("got %v, want a FormatError of the member", err)
	}
	if len(f.Members) != 3 || f.Members[1].Failed == "" {
		t.Errorf("got %+v, want three members, the second failed", f.Members)
	}
}

func TestOtherFormats(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, data := range map[string]string{"script": "#!/bin/sh\n", "empty": "", "short": "\x7fEL", "lib.so": "INPUT(libx.so.1)\n", "a.exe": "MZ\x90\x00", "a.wasm": "\x00asm\x01\x00\x00\x00"} {
		path := filepath.Join(dir, name)
		testenv.Must(t, os.WriteFile(path, []byte(data), 0o644))
		_, err := inspect.Read(path, inspect.Options{})
		var other *inspect.OtherFormatError
		if !errors.As(err, &other) {
			t.Errorf("%s: got %v, want an OtherFormatError", name, err)
		}
	}
	if _, err := inspect.Read(dir, inspect.Options{}); err == nil {
		t.Error("got no error for a directory")
	}
}

func FuzzRead(f *testing.F) {
	fixtures, err := filepath.Glob("../linkage/testdata/*.so")
	testenv.Must(f, err)
	for _, name := range fixtures {
		data, err := os.ReadFile(name)
		testenv.Must(f, err)
		f.Add(data)
		f.Add([]byte("!<arch>\n" + arMember("f.o/", fmt.Sprint(len(data)), string(data))))
	}
	f.Add([]byte("!<arch>\n" + arMember("//", "20", "a_very_long_name.o/\n") + arMember("/0", "4", "abcd") + arMember("#1/4", "6", "f.o\x00ab")))
	f.Add([]byte("!<thin>\n" + arMember("//", "6", "/x.o/\n") + arMember("/0", "4", "")))
	f.Add([]byte("!<arch>\n" + arMember("a/", "68", "!<arch>\n"+arMember("b/", "0", ""))))
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("!<thin>")) && bytes.Contains(data, []byte("..")) {
			return // it would read files of this machine
		}
		testenv.Must(t, os.WriteFile(path, data, 0o644))
		file, err := inspect.Read(path, inspect.Options{Root: filepath.Dir(path)})
		if err == nil && file.Path != path {
			t.Errorf("got path %q", file.Path)
		}
		inspect.All().Find(&file)
		symbols := 0
		_ = inspect.Symbols(path, func(inspect.Symbol) error { symbols++; return nil })
		if symbols > len(data) || len(file.Members) > len(data)/60 {
			t.Errorf("got %d symbols and %d members of %d bytes", symbols, len(file.Members), len(data))
		}
	})
}
