// Job launcher: the program before rustc and clippy-driver.
#include "guest.h"

// invocation has the arguments of rustc that choose the linker; "" stands for none.
struct invocation { const char *target, *linker, *flavor; };

// The options whose value is the next argument if it is not joined to them (rustc_optgroups
// in `compiler/rustc_session/src/config.rs`). A value may look like an option.
static const char short_options[] = "ACDFLWZlo";
static const char long_options[] =
	"allow\0cap-lints\0cfg\0check-cfg\0codegen\0color\0crate-name\0crate-type\0deny\0diagnostic-width\0"
	"edition\0emit\0env-set\0error-format\0explain\0extern\0forbid\0force-warn\0json\0out-dir\0print\0"
	"remap-path-prefix\0remap-path-scope\0sysroot\0target\0warn\0";

static bool is_short(char c) {
	for (const char *s = short_options; *s; s++)
		if (*s == c)
			return true;
	return false;
}

static bool takes_value(const char *name) {
	if (is_short(name[0]) && !name[1])
		return true; // getopts takes --C for -C
	for (const char *l = long_options; *l; l += length(l) + 1)
		if (equal(l, name))
			return true;
	return false;
}

// cut cuts at the first equals sign; value is NULL without one.
static char *cut(const char *s, const char **value) {
	size_t n = 0;
	while (s[n] && s[n] != '=')
		n++;
	*value = s[n] ? s + n + 1 : NULL;
	return duplicate(s, n);
}

// option cuts an argument into an option that takes a value and that value, which is
// NULL if it is not joined. It returns NULL for every other argument.
static const char *option(const char *arg, const char **value) {
	const char *name = cut_prefix(arg, "--");
	if (name) {
		name = cut(name, value);
		return takes_value(name) ? name : NULL;
	}
	if (arg[0] != '-')
		return NULL;
	// Options of one letter may be joined: -gOCx.
	for (arg++; *arg; arg++)
		if (is_short(*arg)) {
			*value = arg[1] ? arg + 1 : NULL;
			return duplicate(arg, 1);
		}
	return NULL;
}

static void set(struct invocation *inv, const char *name, const char *value) {
	if (equal(name, "target"))
		inv->target = value;
	if (!equal(name, "C") && !equal(name, "codegen"))
		return;
	const char *key = cut(value, &value);
	if (!value)
		value = "";
	if (equal(key, "linker"))
		inv->linker = value;
	else if (equal(key, "linker-flavor") || equal(key, "linker_flavor"))
		inv->flavor = value;
}

// parse finds the options that matter. For arguments that rustc refuses, its result
// means nothing.
static struct invocation parse(char **args) {
	struct invocation inv = {"", "", ""};
	for (; *args && !equal(*args, "--"); args++) {
		const char *value, *name = option(*args, &value);
		if (!name)
			continue;
		if (!value && !(value = *++args))
			break;
		set(&inv, name, value);
	}
	return inv;
}

// driver_links reports whether rustc links through a C compiler, which knows -fuse-ld,
// and not with a linker that the user names. It judges the name as rustc does.
static bool driver_links(struct invocation inv) {
	if (*inv.flavor)
		return equal(inv.flavor, "gcc") || has_suffix(inv.flavor, "-cc");
	const char *slash = last_byte(inv.linker, '/'), *name = slash ? slash + 1 : inv.linker;
	size_t n = 0;
	while (name[n] && name[n] != '.') // ld.gold
		n++;
	const char *first = duplicate(name, n);
	return !equal(first, "ld") && !equal(first, "lld") && !has_suffix(first, "-ld") && !has_suffix(first, "-lld") && !cut_prefix(first, "lld-");
}

// put_flags writes the options that change the linker; none for other targets than the
// host. The toolchain's default is about its host only, and a stable rustc refuses the
// first option for most other targets.
static char **put_flags(char **to, struct invocation inv, const char *root) {
	const char *linker = configured("linker"), *host = configured("host");
	if (*inv.target && !equal(inv.target, host))
		return to;
	if (equal(linker, "system")) {
		*to++ = (char *)"-Clinker-features=-lld";
	} else if (equal(linker, "lld") && driver_links(inv)) {
		// What rustc itself passes if LLD is its default. The option that turns
		// that on is unstable.
		*to++ = concat(concat("-Clink-arg=-B", root, "/lib/rustlib/"), host, "/bin/gcc-ld");
		*to++ = (char *)"-Clink-arg=-fuse-ld=lld";
	}
	return to;
}

// list grows as it is appended to.
struct list { char **items; int n, room; };

static void append(struct list *l, char *item) {
	if (l->n == l->room) {
		char **more = allocate((size_t)(l->room = l->room * 2 + 64) * sizeof *more);
		copy(more, l->items, (size_t)l->n * sizeof *more);
		l->items = more;
	}
	l->items[l->n] = item;
	l->n += item != NULL; // the end is written over
}

// append_lines cuts a text as Rust's str::lines.
static void append_lines(struct list *l, char *text, size_t size) {
	for (char *end = text + size; text < end;) {
		char *stop = text;
		while (stop < end && *stop != '\n')
			stop++;
		if (stop < end && stop > text && stop[-1] == '\r')
			stop[-1] = 0;
		*stop = 0; // there is a byte behind the text
		append(l, text);
		text = stop + 1;
	}
}

// read_arg_files replaces each @PATH by the lines of that file, once, as rustc does in
// any position. pass is what the compiler is to get: the same arguments as before, but
// for files that can be read only once.
static bool read_arg_files(char **args, struct list *expanded, struct list *pass) {
	for (; *args; args++) {
		const char *path = cut_prefix(*args, "@");
		struct file f;
		size_t size;
		if (!path) {
			append(expanded, *args), append(pass, *args);
			continue;
		}
		char *text = read_file(path, &size);
		if (!text)
			return false;
		int before = expanded->n;
		append_lines(expanded, text, size);
		if (stat_file(path, &f) && (f.mode & TYPE_MASK) == TYPE_REGULAR)
			append(pass, *args);
		else
			for (int i = before; i < expanded->n; i++)
				append(pass, expanded->items[i]);
	}
	append(expanded, NULL), append(pass, NULL);
	return true;
}

// has_stem compares the file name of a path without extension, as Rust's
// Path::file_stem.
static bool has_stem(const char *path, const char *stem) {
	size_t n = length(path);
	while (n && path[n - 1] == '/')
		n--;
	char *s = duplicate(path, n), *slash = last_byte(s, '/'), *name = slash ? slash + 1 : s, *dot = last_byte(name, '.');
	if (dot && dot > name)
		*dot = 0;
	return equal(name, stem);
}

void launcher(const char *self, int count, char **args) {
	char *dir, *root;
	const char *name, *last;
	if (!split(self, &dir, &name) || !split(dir, &root, &last))
		fail("parent directory could not be determined");
	char *path = join(join(root, "libexec"), name);
	struct list expanded = {NULL, 0, 0}, pass = {NULL, 0, 0};
	// cargo runs clippy-driver with the path of rustc first, by whose name the driver
	// knows it.
	int before = count > 0 && has_stem(name, "clippy-driver") && has_stem(args[0], "rustc");
	bool ok = read_arg_files(args + before, &expanded, &pass) && expanded.n > 0;
	// Without arguments the compiler prints its help. It reports a file that it cannot
	// read.
	char **rest = ok ? pass.items : args + before;
	int n = ok ? pass.n : count - before;
	char **argv = allocate((size_t)(n + 5) * sizeof *argv), **to = argv;
	*to++ = path;
	if (before)
		*to++ = args[0];
	if (ok)
		to = put_flags(to, parse(expanded.items), root);
	copy(to, rest, (size_t)(n + 1) * sizeof *argv);
	become(path, argv, path);
}
