package main

import (
	"runtime"
	"strings"
	"syscall"

	"x.go/bootstrap/programs/process"
)

// emulations maps each emulation of `ld -m NAME` to the GNU triples whose linker
// writes it. goarch is where plain ld writes it.
var emulations = []struct {
	name    string
	goarch  string
	triples string // separated by blanks, the usual one first
}{
	{"elf_x86_64", "amd64", "x86_64-linux-gnu x86_64-unknown-linux-gnu x86_64-pc-linux-gnu x86_64-linux-musl"},
	{"elf32_x86_64", "amd64", "x86_64-linux-gnux32"},
	{"elf_i386", "amd64 386", "i686-linux-gnu i686-pc-linux-gnu i386-linux-gnu"},
	{"aarch64linux", "arm64", "aarch64-linux-gnu aarch64-unknown-linux-gnu aarch64-linux-musl"},
	{"aarch64linuxb", "", "aarch64_be-linux-gnu"},
	{"armelf_linux_eabi", "arm", "arm-linux-gnueabihf arm-linux-gnueabi arm-linux-musleabihf"},
	{"elf64lppc", "ppc64le", "powerpc64le-linux-gnu powerpc64le-linux-musl"},
	{"elf64ppc", "ppc64", "powerpc64-linux-gnu"},
	{"elf32ppclinux", "ppc64", "powerpc-linux-gnu"},
	{"elf64lriscv", "riscv64", "riscv64-linux-gnu riscv64-unknown-linux-gnu riscv64-linux-musl"},
	{"elf64loongarch", "loong64", "loongarch64-linux-gnu loongarch64-unknown-linux-gnu"},
	{"elf64_s390", "s390x", "s390x-linux-gnu"},
	{"elf64_sparc", "sparc64", "sparc64-linux-gnu"},
	{"elf64ltsmip", "mips64le", "mips64el-linux-gnuabi64"},
	{"elf64btsmip", "mips64", "mips64-linux-gnuabi64"},
	{"elf32ltsmip", "mipsle", "mipsel-linux-gnu"},
	{"elf32btsmip", "mips", "mips-linux-gnu"},
}

// systemLinker finds the linker that the calling C compiler would have run without
// -fuse-ld=lld. gcc passes its directories in COMPILER_PATH, where a cross compiler
// keeps its own ld, and its name in COLLECT_GCC; collect2 looks for these names in this
// order. clang passes nothing: only the emulation shows the target.
func systemLinker(self string, args []string) (string, error) {
	dirs, _ := syscall.Getenv("COMPILER_PATH")
	for _, name := range []string{"real-ld", "collect-ld", "ld"} {
		if path, ok := find(self, dirs, name); ok {
			return path, nil
		}
	}
	driver, _ := syscall.Getenv("COLLECT_GCC")
	names := linkerNames(driver, args)
	dirs, _ = syscall.Getenv("PATH")
	for _, name := range names {
		if path, ok := find(self, dirs, name); ok {
			return path, nil
		}
	}
	return "", process.Problem("could not find the system linker: no " + strings.Join(names, " or ") +
		" in COMPILER_PATH or PATH; install binutils")
}

// linkerNames lists the names under which PATH may have the linker for what args link.
func linkerNames(driver string, args []string) []string {
	var names []string
	if prefix := targetPrefix(driver); prefix != "" {
		names = append(names, prefix+"ld")
	}
	for _, e := range emulations {
		if e.name != emulation(args) || contains(e.goarch, runtime.GOARCH) {
			continue
		}
		for triple := range strings.FieldsSeq(e.triples) {
			if name := triple + "-ld"; len(names) == 0 || names[0] != name {
				names = append(names, name)
			}
		}
	}
	return append(names, "ld")
}

// targetPrefix is the target of a driver's name with its hyphen: "aarch64-linux-gnu-"
// of /usr/bin/aarch64-linux-gnu-gcc-12.
func targetPrefix(driver string) string {
	_, name := process.Split(driver)
	for _, tool := range []string{"gcc", "g++", "cc", "c++", "clang", "clang++", "gfortran"} {
		prefix, rest, found := strings.Cut(name, "-"+tool)
		if found && (rest == "" || rest[0] == '-' || rest[0] == '.') {
			return prefix + "-"
		}
	}
	return ""
}

// emulation returns the value of the last -m option, which gcc and clang always give.
func emulation(args []string) string {
	last := ""
	for i, arg := range args {
		switch {
		case arg == "-m" && i+1 < len(args):
			last = args[i+1]
		case strings.HasPrefix(arg, "-melf") || strings.HasPrefix(arg, "-maarch64") || strings.HasPrefix(arg, "-marm"):
			last = arg[len("-m"):]
		}
	}
	return last
}

func contains(words, word string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}

// find looks for a program in a list of directories. It skips every wrapper: this file
// under any name or link, its own directory, and directories named gcc-ld, which may
// belong to another toolchain. Wrappers that run one another could loop for ever.
func find(self, dirs, name string) (string, bool) {
	own, _ := process.Split(self)
	for dir := range strings.SplitSeq(dirs, process.ListSeparator) {
		if dir == "" {
			continue
		}
		path := process.Join(dir, name+process.ExeSuffix)
		resolved, ok := process.Program(path)
		if !ok || process.SameFile(path, self) {
			continue
		}
		if real, _ := process.Split(resolved); real == own || strings.HasSuffix(real, process.Separators[:1]+"gcc-ld") {
			continue
		}
		return path, true
	}
	return "", false
}
