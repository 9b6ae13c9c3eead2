// The linker that the calling C compiler would have run without -fuse-ld=lld.
#include "guest.h"

// emulations has the GNU triples whose linker writes what `ld -m NAME` asks for, the
// usual one first. The plain ld of this machine writes the emulations in native.
static const char emulations[] =
	"elf_x86_64 x86_64-linux-gnu x86_64-unknown-linux-gnu x86_64-pc-linux-gnu x86_64-linux-musl\0"
	"elf32_x86_64 x86_64-linux-gnux32\0"
	"elf_i386 i686-linux-gnu i686-pc-linux-gnu i386-linux-gnu\0"
	"aarch64linux aarch64-linux-gnu aarch64-unknown-linux-gnu aarch64-linux-musl\0"
	"aarch64linuxb aarch64_be-linux-gnu\0"
	"armelf_linux_eabi arm-linux-gnueabihf arm-linux-gnueabi arm-linux-musleabihf\0"
	"elf64lppc powerpc64le-linux-gnu powerpc64le-linux-musl\0"
	"elf64ppc powerpc64-linux-gnu\0"
	"elf32ppclinux powerpc-linux-gnu\0"
	"elf64lriscv riscv64-linux-gnu riscv64-unknown-linux-gnu riscv64-linux-musl\0"
	"elf64loongarch loongarch64-linux-gnu loongarch64-unknown-linux-gnu\0"
	"elf64_s390 s390x-linux-gnu\0"
	"elf64_sparc sparc64-linux-gnu\0"
	"elf64ltsmip mips64el-linux-gnuabi64\0"
	"elf64btsmip mips64-linux-gnuabi64\0"
	"elf32ltsmip mipsel-linux-gnu\0"
	"elf32btsmip mips-linux-gnu\0";
#if defined(__x86_64__)
static const char native[] = "elf_x86_64\0elf32_x86_64\0elf_i386\0";
#else
static const char native[] = "aarch64linux\0";
#endif

// listed reports whether one of the strings in a row is s.
static bool listed(const char *list, const char *s) {
	for (; *list; list += length(list) + 1)
		if (equal(s, list))
			return true;
	return false;
}

// emulation returns the value of the last -m option, which gcc and clang always give.
static const char *emulation(char **args) {
	const char *last = "";
	for (; *args; args++) {
		if (equal(*args, "-m") && args[1])
			last = args[1];
		else if (cut_prefix(*args, "-melf") || cut_prefix(*args, "-maarch64") || cut_prefix(*args, "-marm"))
			last = *args + 2;
	}
	return last;
}

// target_prefix is the target of a driver's name with its hyphen: "aarch64-linux-gnu-"
// of /usr/bin/aarch64-linux-gnu-gcc-12. It is NULL for a name without one.
char *target_prefix(const char *driver) {
	static const char tools[] = "-gcc\0-g++\0-cc\0-c++\0-clang\0-clang++\0-gfortran\0";
	const char *slash = last_byte(driver, '/'), *name = slash ? slash + 1 : driver;
	for (const char *tool = tools; *tool; tool += length(tool) + 1)
		for (const char *at = name; *at; at++) {
			const char *rest = cut_prefix(at, tool);
			if (!rest)
				continue;
			if (!*rest || *rest == '-' || *rest == '.')
				return duplicate(name, (size_t)(at - name) + 1);
			break;
		}
	return NULL;
}

// linker_names lists the names under which PATH may have the linker for what args link,
// separated by blanks.
static const char *linker_names(char **args) {
	char *prefix = target_prefix(variable("COLLECT_GCC"));
	const char *own = prefix ? concat(prefix, "ld", "") : "", *names = own, *m = emulation(args);
	for (const char *e = emulations; *e && !listed(native, m); e += length(e) + 1) {
		const char *triples = cut_prefix(e, m);
		if (!triples || *triples++ != ' ')
			continue;
		for (char *triple; next_word(&triples, ' ', &triple);) {
			char *name = concat(triple, "-ld", "");
			if (!equal(name, own))
				names = concat(names, *names ? " " : "", name);
		}
	}
	return concat(names, *names ? " " : "", "ld");
}

// find_program looks for a program in a list of directories. It skips every wrapper:
// this file under any name or link, its own directory, and directories named gcc-ld,
// which may belong to another toolchain. Wrappers that run one another could loop for
// ever.
char *find_program(const char *self, const char *dirs, const char *name) {
	char *own, *dir, *real_dir;
	const char *last;
	struct file me, f;
	bool known = stat_file(self, &me);
	split(self, &own, &last);
	while (next_word(&dirs, ':', &dir)) {
		if (!*dir)
			continue;
		char *path = join(dir, name), *real;
		if (!stat_file(path, &f) || (f.mode & TYPE_MASK) != TYPE_REGULAR || !(f.mode & ANY_EXECUTE))
			continue;
		if (known && f.device == me.device && f.inode == me.inode)
			continue;
		if (!(real = real_path(path)) || !split(real, &real_dir, &last))
			continue;
		if (equal(real_dir, own) || has_suffix(real_dir, "/gcc-ld"))
			continue;
		return path;
	}
	return NULL;
}

// system_linker finds the linker. gcc passes its directories in COMPILER_PATH, where a
// cross compiler keeps its own ld, and its name in COLLECT_GCC; collect2 looks for these
// names in this order. clang passes nothing: only the emulation shows the target.
char *system_linker(const char *self, char **args) {
	static const char first[] = "real-ld\0collect-ld\0ld\0";
	char *path, *name;
	for (const char *n = first; *n; n += length(n) + 1)
		if ((path = find_program(self, variable("COMPILER_PATH"), n)))
			return path;
	const char *names = linker_names(args), *said = "";
	for (const char *rest = names; next_word(&rest, ' ', &name);) {
		if ((path = find_program(self, variable("PATH"), name)))
			return path;
		said = concat(said, *said ? " or " : "", name);
	}
	fail(concat("could not find the system linker: no ", said, " in COMPILER_PATH or PATH; install binutils"));
}
