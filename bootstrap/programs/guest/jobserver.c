// The jobserver of make or cargo: a pipe that holds a byte for each process or thread
// that may yet start. Its users must put back the very bytes that they took.
//
// https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html
#include "guest.h"

// place is where the environment says that a pool is: a named pipe with make 4.4, else
// descriptors of this program and of those that started it.
struct place {
	const char *name;  // of the variable
	const char *value; // of the option, "3,4"; "" without one
	const char *fifo;  // NULL for descriptors
	char *in, *out;    // NULL for numbers that are none
};

// unescape undoes what make does to text in MAKEFLAGS: it puts a backslash before blanks
// and backslashes, and doubles dollars.
static char *unescape(const char *s) {
	char *plain = duplicate(s, length(s)), *to = plain;
	for (; *s; s++) {
		if ((*s == '\\' && s[1]) || (*s == '$' && s[1] == '$'))
			s++;
		*to++ = *s;
	}
	*to = 0;
	return plain;
}

// next_flag cuts flags at blanks that have no backslash before them.
static bool next_flag(const char **flags, char **flag) {
	const char *s = *flags;
	while (*s == ' ')
		s++;
	const char *end = s;
	while (*end && *end != ' ')
		end += *end == '\\' && end[1] ? 2 : 1;
	*flag = duplicate(s, (size_t)(end - s)), *flags = end;
	return end > s;
}

// locate returns the place that flags name. The last of several options counts, as in
// make; what follows -- are variables.
static struct place locate(const char *name, const char *flags) {
	struct place p = {name, "", NULL, NULL, NULL};
	for (char *flag; next_flag(&flags, &flag) && !equal(flag, "--");) {
		const char *value = cut_prefix(flag, "--jobserver-auth=");
		if (value || (value = cut_prefix(flag, "--jobserver-fds=")))
			p.value = value;
	}
	const char *fifo = cut_prefix(p.value, "fifo:"), *rest = p.value;
	char *in, *out;
	unsigned n;
	if (fifo)
		p.fifo = unescape(fifo);
	// make writes negative numbers for a command that gets no pool.
	else if (next_word(&rest, ',', &in) && next_word(&rest, ',', &out) && !rest
		&& parse_number(in, length(in), &n) && parse_number(out, length(out), &n))
		p.in = in, p.out = out;
	return p;
}

// open_end opens a pipe again, so that only its own reads do not block: O_NONBLOCK on
// the inherited descriptor would be everybody's. The descriptor must not be one that
// LLD takes for its output.
static int open_end(const char *path, int flags) { return (int)move_fd((int)sys_open(path, flags | O_NONBLOCKING), 3); }

static bool open_ends(struct pool *p, const char *in, const char *out) {
	if ((p->read = open_end(in, O_READ)) < 0)
		return false;
	if ((p->write = open_end(out, O_WRITE)) >= 0)
		return true;
	sys_close(p->read);
	return false;
}

// is_pair reports whether in and out are the two ends of one pipe, so that numbers that
// mean other files here are not taken for a pool.
static bool is_pair(struct file in, struct file out) {
	return (in.mode & TYPE_MASK) == TYPE_FIFO && (out.mode & TYPE_MASK) == TYPE_FIFO && in.device == out.device && in.inode == out.inode;
}

// open_of opens the descriptors of the process whose directory in /proc is given. The
// links there have the modes of the descriptors: an end to read, and one to write.
static bool open_of(const char *process, struct place at, struct pool *p) {
	const char *dir = concat(process, "/fd/", ""), *in = concat(dir, at.in, ""), *out = concat(dir, at.out, "");
	struct file i, o;
	if (!stat_link(in, &i) || !stat_link(out, &o) || !(i.mode & OWNER_READ) || !(o.mode & OWNER_WRITE))
		return false;
	return stat_file(in, &i) && stat_file(out, &o) && is_pair(i, o) && open_ends(p, in, out);
}

// open_here uses the descriptors themselves where /proc is not mounted.
static bool open_here(struct place at, struct pool *p) {
	struct file i, o;
	unsigned in, out;
	parse_number(at.in, length(at.in), &in), parse_number(at.out, length(at.out), &out);
	p->read = (int)in, p->write = (int)out, p->shared = true;
	return stat_fd(p->read, &i) && stat_fd(p->write, &o) && is_pair(i, o) && opened_for(p->read, O_READ) && opened_for(p->write, O_WRITE);
}

// flags_of returns the value of a variable in the environment that a process got; NULL
// without it.
static const char *flags_of(const char *process, const char *name) {
	size_t size;
	const char *all = read_file(concat(process, "/environ", ""), &size);
	for (const char *e = all; e && e < all + size; e += length(e) + 1) {
		const char *value = cut_prefix(e, name);
		if (value && *value == '=')
			return value + 1;
	}
	return NULL;
}

// makes_pools reports whether a process is a make or a cargo, by its name.
static bool makes_pools(const char *process) {
	size_t size;
	char *name = read_file(concat(process, "/comm", ""), &size);
	if (!name || size == 0)
		return false;
	name[size - 1] = 0; // a line break
	return has_suffix(name, "make") || cut_prefix(name, "cargo");
}

// parent returns the process that started another one, 0 if it is not known.
static unsigned parent(const char *process) {
	size_t size;
	unsigned id = 0;
	const char *line = read_file(concat(process, "/stat", ""), &size), *s = line ? last_byte(line, ')') : NULL;
	if (!s || size < (size_t)(s - line) + 5)
		return 0;
	s += 4; // ") S "
	size_t n = 0;
	while (s[n] && s[n] != ' ')
		n++;
	return parse_number(s, n, &id) ? id : 0;
}

static bool open_fifo(struct place at, struct pool *p) {
	struct file f;
	return stat_file(at.fifo, &f) && (f.mode & TYPE_MASK) == TYPE_FIFO && open_ends(p, at.fifo, at.fifo);
}

// search opens the pool that a variable names, and tells in *at which that is. A
// program between make and this one may have closed the descriptors, gcc then takes them
// out of the variable, and make itself closes them for a command that it does not take
// for a make. So each process counts that got the variable, from this one on upwards,
// and last the one that put it into the environment.
static bool search(const char *name, struct place *at, struct pool *p) {
	enum { MOST = 64 };
	struct file f;
	const char *process = "/proc/self", *flags = variable(name);
	*at = locate(name, flags);
	if (!*flags)
		return false;
	bool proc = stat_file("/proc/self/fd", &f);
	for (int i = 0; i < MOST; i++) {
		struct place here = flags ? locate(name, flags) : *at;
		if (*at->value && *here.value && !equal(here.value, at->value))
			return false; // of another pool
		if (*here.value)
			*at = here;
		if (at->fifo)
			return open_fifo(*at, p);
		if (!proc)
			return at->in && open_here(*at, p);
		if (at->in && (flags || makes_pools(process)) && open_of(process, *at, p))
			return true;
		unsigned before = flags && (at->in || !*at->value) ? parent(process) : 0;
		if (before == 0)
			return false;
		process = concat("/proc/", number(before), "");
		flags = flags_of(process, name);
	}
	return false;
}

// open_pool opens the pool that the environment names: cargo's first, for a make that
// runs cargo may have one of its own.
enum found open_pool(struct pool *p) {
	static const char names[] = "CARGO_MAKEFLAGS\0MAKEFLAGS\0";
	enum found found = POOL_NONE;
	for (const char *name = names; *name; name += length(name) + 1) {
		struct place at;
		*p = (struct pool){.shared = false};
		bool open = search(name, &at, p);
		if (!open && !*at.value)
			continue;
		p->name = name, p->value = at.value;
		if (open)
			return POOL_OPEN;
		found = POOL_CLOSED;
	}
	return found;
}

int take(struct pool p, char *tokens, int n) {
	long got;
	do
		got = p.shared ? sys_read_now(p.read, tokens, (size_t)n) : sys_read(p.read, tokens, (size_t)n);
	while (got == -E_INTR);
	return got > 0 ? (int)got : 0;
}

// give puts tokens back. The pipe has room for what came out of it.
void give(struct pool p, const char *tokens, int n) {
	while (n > 0) {
		long given = sys_write(p.write, tokens, (size_t)n);
		if (given < 0 && given != -E_INTR) {
			complain(concat("could not return ", number((unsigned long)n), concat(" jobserver tokens: ", describe(given), "")));
			return;
		}
		if (given > 0)
			tokens += given, n -= (int)given;
	}
}
