// Job lldwrapper: the programs in gcc-ld.
#include "guest.h"

// rust_lld is the rust-lld in directory root. LLD reads the flavor from its first two
// arguments only. There is room for one more argument.
static struct command rust_lld(const char *root, const char *flavor, int count, char **args) {
	char **argv = allocate((size_t)(count + 5) * sizeof *argv);
	struct command c = {.path = join(root, "rust-lld"), .argv = argv, .label = "rust-lld", .threads = equal(flavor, "gnu")};
	argv[0] = c.path, argv[1] = (char *)"-flavor", argv[2] = (char *)flavor;
	copy(argv + 3, args, (size_t)(count + 1) * sizeof *argv);
	return c;
}

static struct command plain(char *path, int count, char **args) {
	char **argv = allocate((size_t)(count + 2) * sizeof *argv);
	argv[0] = path;
	copy(argv + 1, args, (size_t)(count + 1) * sizeof *argv);
	return (struct command){.path = path, .argv = argv, .label = path};
}

// with_site puts the program that the site configured before the linker.
static struct command with_site(struct command c, int count) {
	const char *site = configured("site");
	if (!*site)
		return c;
	char **argv = allocate((size_t)(count + 6) * sizeof *argv);
	argv[0] = (char *)site, argv[1] = c.path;
	int i = 1;
	while ((argv[i + 1] = c.argv[i]))
		i++;
	return (struct command){.path = (char *)site, .argv = argv, .label = site, .threads = c.threads};
}

// flavor_of returns the flavor for a file name. The C compiler's usual linker can
// replace LLD only for the first two: for the others there is none.
static const char *flavor_of(const char *name, bool *system) {
	static const char flavors[] = "ld.lld\0gnu\0" "ld64.lld\0darwin\0" "lld-link\0link\0" "wasm-ld\0wasm\0";
	int row = 0;
	for (const char *f = flavors; *f; row++) {
		const char *flavor = f + length(f) + 1;
		if (equal(name, f)) {
			*system = row < 2;
			return flavor;
		}
		f = flavor + length(flavor) + 1;
	}
	return NULL;
}

void wrapper(const char *self, int count, char **args) {
	char *dir, *root;
	const char *name, *last;
	if (!split(self, &dir, &name))
		fail("directory containing current executable could not be determined");
	if (!split(dir, &root, &last))
		fail("parent directory could not be determined");
	bool system = false;
	const char *flavor = flavor_of(name, &system), *mode = configured("mode");
	if (!flavor)
		fail(concat("executable has unexpected name: Some(", quote(name), ")"));
	if (!equal(mode, "lld") && !equal(mode, "system"))
		fail(concat("built with unknown mode ", quote(mode), ""));
	struct command c;
	if (system && equal(mode, "system"))
		c = plain(asked_for_lld() ? users_lld(self, name) : system_linker(self, args), count, args);
	else
		c = rust_lld(root, flavor, count, args);
	c = with_site(c, count);
	if (c.threads)
		limit_threads(&c, args, count);
	become(c.path, c.argv, c.label);
}
