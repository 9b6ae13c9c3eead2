// What a link is: its output, its inputs, and what the user says of threads.
#include "guest.h"

// A response file names others, even itself.
enum { MAX_DEPTH = 16, MAX_FILES = 256, MAX_LIST = 64 << 10 };
static const uint64_t max_file = (uint64_t)64 << 20;

// seen is what the arguments so far say.
struct seen {
	struct link *link;
	bool sizes, leaves; // what is asked for
	const char *option; // the one whose value is the next argument, or NULL
	int files;
};

// declares_macros reports whether a list of symbols is that of a crate of procedural
// macros, which rustc writes for the linker (proc_macro_decls_name in
// `compiler/rustc_session/src/session.rs`).
static bool declares_macros(const char *list) {
	struct file f;
	size_t size;
	if (!stat_file(list, &f) || (f.mode & TYPE_MASK) != TYPE_REGULAR || f.size > MAX_LIST)
		return false;
	const char *text = read_file(list, &size);
	return text && has_part(text, "rustc_proc_macro_decls_");
}

static void see_value(struct seen *s, const char *option, const char *value) {
	if (equal(option, "o") || equal(option, "output"))
		s->link->output = value;
	else if (s->leaves && (equal(option, "version-script") || equal(option, "dynamic-list")))
		s->link->macros = s->link->macros || declares_macros(value);
}

static bool says_threads(const char *arg) {
	while (*arg == '-')
		arg++;
	return equal(arg, "threads") || equal(arg, "no-threads") || cut_prefix(arg, "threads=");
}

// see_option sees an option without its hyphens. LLD takes one or two for all long names.
static void see_option(struct seen *s, const char *name, bool one) {
	static const char with_value[] = "o\0output\0version-script\0dynamic-list\0";
	if (cut_prefix(name, "export-dynamic-symbol") && has_part(name, "rustc_proc_macro_decls_"))
		s->link->macros = true;
	for (const char *option = with_value; *option; option += length(option) + 1) {
		const char *rest = cut_prefix(name, option);
		if (rest && !*rest)
			s->option = option;
		else if (rest && *rest == '=' && option[1])
			see_value(s, option, rest + 1);
	}
	if (one && name[0] == 'o' && name[1] && !cut_prefix(name, "output"))
		see_value(s, "o", name + 1);
}

static void see_file(struct seen *s, const char *path, int depth);

static void see_argument(struct seen *s, const char *arg, int depth) {
	struct file f;
	if (arg[0] == '-' && says_threads(arg))
		s->link->threads = true;
	if (s->option) {
		see_value(s, s->option, arg);
		s->option = NULL;
	} else if (arg[0] == '@' && arg[1]) {
		see_file(s, arg + 1, depth);
	} else if (arg[0] == '-') {
		see_option(s, arg + 1 + (arg[1] == '-'), arg[1] != '-');
	} else if (s->sizes && stat_file(arg, &f) && (f.mode & TYPE_MASK) == TYPE_REGULAR) {
		s->link->size += f.size;
	}
}

// see_file sees the arguments in a response file, if it can be read twice.
static void see_file(struct seen *s, const char *path, int depth) {
	struct file f;
	size_t size;
	if (depth == MAX_DEPTH || s->files++ == MAX_FILES || !stat_file(path, &f) || (f.mode & TYPE_MASK) != TYPE_REGULAR || f.size > max_file)
		return;
	char *text = read_file(path, &size);
	for (char *word; text && (word = next_quoted(&text, true));)
		see_argument(s, word, depth + 1);
}

struct link see_link(char **args, bool sizes, bool leaves) {
	struct link l = {"a.out", 0, false, false};
	struct seen s = {&l, sizes, leaves, NULL, 0};
	for (; *args; args++)
		see_argument(&s, *args, 0);
	return l;
}

// is_leaf reports whether the link makes what only cargo and rustc run: a build script
// or a crate of procedural macros. cargo has build scripts in build/PACKAGE-HASH, or
// with -Zbuild-dir-new-layout in build/PACKAGE/HASH/out.
bool is_leaf(const struct link *l) {
	if (l->macros)
		return true;
	char *dir, *next;
	const char *name, *last;
	if (!split(l->output, &dir, &name) || !cut_prefix(name, "build_script_"))
		return false;
	for (int up = 0; up < 4; up++, dir = next) {
		bool more = split(dir, &next, &last);
		if ((up == 1 || up == 3) && equal(last, "build"))
			return true;
		if (!more)
			break;
	}
	return false;
}
