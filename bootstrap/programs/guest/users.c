// A user's own -fuse-ld=lld. rustc puts that option right behind the gcc-ld directory
// that it passes with -B; one in any other place is not rustc's.
#include "guest.h"

// choice is what the options seen so far say of the linker.
struct choice {
	bool behind_gcc_ld; // the option before was -B with a gcc-ld directory
	bool value_of_b;    // the option before was -B alone
	bool lld;           // the last -fuse-ld is lld, and it is not rustc's
};

static bool is_gcc_ld(const char *dir) { return has_suffix(dir, "/gcc-ld") || has_suffix(dir, "/gcc-ld/"); }

static void see(struct choice *c, const char *option) {
	const char *linker = cut_prefix(option, "-fuse-ld="), *dir = c->value_of_b ? option : cut_prefix(option, "-B");
	if (linker && !c->value_of_b)
		c->lld = equal(linker, "lld") && !c->behind_gcc_ld;
	c->behind_gcc_ld = dir && is_gcc_ld(dir);
	c->value_of_b = !c->value_of_b && equal(option, "-B");
}

// see_parent sees the command line of the program that started this one: clang does
// not tell otherwise.
static void see_parent(struct choice *c) {
	size_t size, held;
	char *line = read_file(concat("/proc/", number((unsigned long)sys_getppid()), "/cmdline"), &size);
	if (!line)
		return;
	for (const char *arg = line; arg < line + size; arg += length(arg) + 1) {
		const char *path = cut_prefix(arg, "@");
		struct file f;
		if (!path) {
			see(c, arg);
		} else if (stat_file(path, &f) && (f.mode & TYPE_MASK) == TYPE_REGULAR) {
			char *text = read_file(path, &held);
			for (char *word; text && (word = next_quoted(&text, true));)
				see(c, word);
		}
	}
}

// asked_for_lld reports whether the last -fuse-ld of the calling C compiler is the
// user's own, and asks for LLD. gcc leaves only the last of several equal options in
// COLLECT_GCC_OPTIONS.
bool asked_for_lld(void) {
	struct choice c = {false, false, false};
	const char *options = variable("COLLECT_GCC_OPTIONS");
	char *text = duplicate(options, length(options));
	for (char *word; (word = next_quoted(&text, false));)
		see(&c, word);
	if (!*options)
		see_parent(&c);
	return c.lld;
}

// users_lld finds the LLD that the C compiler would have run if rustc had passed no -B:
// gcc looks in COMPILER_PATH, clang beside itself, and both in PATH.
// name is that of this program, which the C compiler looks for.
char *users_lld(const char *self, const char *name) {
	char link[PATH_SIZE], *dir, *path;
	const char *dirs = variable("COMPILER_PATH"), *driver;
	if (!*variable("COLLECT_GCC")) {
		long n = read_link(concat("/proc/", number((unsigned long)sys_getppid()), "/exe"), link, sizeof link - 1);
		if (n > 0 && split(duplicate(link, (size_t)n), &dir, &driver))
			dirs = dir;
	}
	if ((path = find_program(self, dirs, name)))
		return path;
	char *prefix = target_prefix(variable("COLLECT_GCC"));
	if (prefix && (path = find_program(self, variable("PATH"), concat(prefix, name, ""))))
		return path;
	if ((path = find_program(self, variable("PATH"), name)))
		return path;
	fail(concat("could not find the LLD that -fuse-ld=lld asks for: no ", name,
		" in COMPILER_PATH or PATH, and the default of this toolchain is the system linker; install lld"));
}
