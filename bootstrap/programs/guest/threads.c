// How many threads LLD gets: those that it can start, and of these, if the site wants
// it, as many as the settings allow. Without them, each of the links that run at once
// starts a thread for each processor.
#include "guest.h"

enum { MAX_THREADS = 16 }; // LLD's own limit, where it may choose (lld::elf)

// threads is how many LLD gets, of those that it would take, and why.
struct threads { int n, most; const char *why; };

static void bound(struct threads *t, int n, const char *why) {
	if (n < t->n)
		t->n = n, t->why = why;
}

// with_threads puts the option behind the flavor, so that one in a response file comes
// later and wins.
static char **with_threads(char **argv, int count, int n) {
	char **more = allocate((size_t)(count + 8) * sizeof *more), **to = more;
	for (bool put = false; *argv; argv++) {
		*to++ = *argv;
		if (put || !equal(*argv, "-flavor") || !argv[1])
			continue;
		*to++ = *++argv;
		*to++ = concat("--threads=", number((unsigned long)n), "");
		put = true;
	}
	*to = NULL;
	return more;
}

// startable returns how many of n threads can start under the limits of this program.
// LLD dies where it can't start one, however small the link.
static int startable(int n) {
	// A thread has a stack and an arena for its memory, libLLVM about 200 MB.
	const uint64_t base = (uint64_t)512 << 20, each = (uint64_t)160 << 20;
	uint64_t data = limit(LIMIT_DATA), addresses = limit(LIMIT_ADDRESSES), room = data < addresses ? data : addresses;
	if (limit(LIMIT_PROCESSES) < 256)
		return 1; // the limit counts all threads of this user
	if (room < base + each)
		return 1;
	uint64_t fit = (room - base) / each;
	return fit < (uint64_t)n ? (int)fit : n;
}

// log_choice adds a line about the link to the file that the user names.
static void log_choice(const struct link *l, const char *chosen, const char *why) {
	const char *path = variable("X_LLD_LOG");
	if (*path)
		append_to(path, concat(concat(show(l->output), ": ", chosen), concat(", ", why, "\n"), ""));
}

// settle passes the choice on and tells of it.
static void settle(struct command *c, int count, const struct link *l, struct threads t, bool pass) {
	if (pass)
		c->argv = with_threads(c->argv, count, t.n);
	log_choice(l, concat(number((unsigned long)t.n), t.n == 1 ? " thread" : " threads", ""), t.why);
}

// bound_by applies the settings, words with commas between them.
static void bound_by(struct threads *t, const char *words, const struct link *l) {
	unsigned n;
	for (char *word; next_word(&words, ',', &word);) {
		if (equal(word, "leaf")) {
			if (is_leaf(l))
				bound(t, 1, l->macros ? "procedural macros" : "a build script");
		} else if (equal(word, "memory")) {
			bound(t, fitting(l->size, t->n), concat("the memory that is free, for inputs of ", number(l->size >> 20), " MiB"));
		} else if (equal(word, "serial")) {
			bound(t, 1, "the cap");
		} else if (parse_number(word, length(word), &n) && n > 0) {
			bound(t, (int)n, "the cap");
		}
	}
}

// with_tokens runs LLD with one thread more than the jobserver has tokens, and ends this
// program; or it returns with what to become.
static void with_tokens(struct command *c, int count, const struct link *l, struct threads t) {
	struct pool p;
	char tokens[MAX_THREADS];
	enum found found = open_pool(&p);
	if (found == POOL_NONE) {
		settle(c, count, l, t, t.n < t.most);
		return;
	}
	const char *where = concat(" jobserver ", p.value, concat(" of ", p.name, ""));
	if (found == POOL_CLOSED) {
		// A program that make gives no pool has the one job that it is.
		bound(&t, 1, concat("the", where, " is not to be opened"));
		settle(c, count, l, t, true);
		return;
	}
	uint64_t before = block_signals();
	int taken = take(p, tokens, t.n - 1);
	t.n = 1 + taken, t.why = concat("as the", where, " had tokens");
	if (taken > 0) {
		struct command more = *c;
		settle(&more, count, l, t, true);
		if (run_to_end(&more, before, p, tokens, taken))
			return;
		give(p, tokens, taken);
		bound(&t, 1, "no process for LLD beside this one can be started");
	}
	restore_signals(before);
	settle(c, count, l, t, true);
}

// limit_threads passes LLD the number of threads, unless the user does or LLD would
// choose the same.
void limit_threads(struct command *c, char **args, int count) {
	const char *words = configured("threads"), *jobserver = configured("jobserver");
	int cpus = count_cpus(), most = cpus < MAX_THREADS ? cpus : MAX_THREADS;
	struct threads t = {most, most, "as LLD chooses"};
	bound(&t, startable(most), "the limits of processes and memory (ulimit)");
	if (!*words && !*jobserver && t.n == most)
		return;
	struct link l = see_link(args, lists(words, "memory"), lists(words, "leaf"));
	if (l.threads) {
		log_choice(&l, "no option", "the user chooses the threads");
		return;
	}
	bound_by(&t, words, &l);
	if (*jobserver)
		with_tokens(c, count, &l, t);
	else
		settle(c, count, &l, t, t.n < t.most);
}
