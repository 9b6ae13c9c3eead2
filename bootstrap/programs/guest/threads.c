// How many threads LLD gets: those that it can start, and of these, if the site wants
// it, as many as make's or cargo's jobserver can spare. Without the latter, each of the
// links that run at once starts a thread for each processor.
#include "guest.h"

enum { MAX_THREADS = 16 }; // LLD's own limit, where it may choose (lld::elf)

// pool is a pipe that holds a byte for each process or thread that may yet start. Its
// users must put back the very bytes that they took.
struct pool { int read, write; };

static bool chooses_threads(char **argv) {
	for (; *argv; argv++) {
		const char *name = *argv;
		while (*name == '-')
			name++;
		if (name != *argv && (equal(name, "threads") || equal(name, "no-threads") || cut_prefix(name, "threads=")))
			return true;
	}
	return false;
}

// pool_names returns the paths of both ends: of a named pipe with make 4.4, of
// inherited descriptors before. The last of several options counts, as in make.
static bool pool_names(const char *makeflags, char **read, char **write) {
	bool ok = false;
	for (char *flag; next_word(&makeflags, ' ', &flag);) {
		const char *value = cut_prefix(flag, "--jobserver-auth="), *fifo;
		if (!value && !(value = cut_prefix(flag, "--jobserver-fds=")))
			continue;
		if ((fifo = cut_prefix(value, "fifo:"))) {
			*read = *write = (char *)fifo, ok = true;
			continue;
		}
		const char *rest = value;
		char *in = NULL, *out = NULL;
		unsigned n;
		// make writes negative numbers for a command that gets no pool.
		ok = next_word(&rest, ',', &in) && next_word(&rest, ',', &out) && !rest
			&& parse_number(in, length(in), &n) && parse_number(out, length(out), &n);
		if (ok)
			*read = concat("/proc/self/fd/", in, ""), *write = concat("/proc/self/fd/", out, "");
	}
	return ok;
}

// open_pipe refuses what is no pipe: in a command that make gives no pool, the numbers
// may name other files. The descriptor must not be one that LLD takes for its output.
static int open_pipe(const char *path, int flags) {
	struct file f;
	if (!stat_file(path, &f) || (f.mode & TYPE_MASK) != TYPE_FIFO)
		return -1;
	return (int)move_fd((int)sys_open(path, flags | O_NONBLOCKING), 3);
}

// open_pool opens the pool that the environment names: cargo's first, for a make that
// runs cargo may have one of its own. It opens the pipe again, so that only its own
// reads do not block: O_NONBLOCK on the inherited descriptor would be everybody's.
static bool open_pool(struct pool *p) {
	for (int i = 0; i < 2; i++) {
		char *read, *write;
		if (!pool_names(variable(i ? "MAKEFLAGS" : "CARGO_MAKEFLAGS"), &read, &write))
			continue;
		if ((p->read = open_pipe(read, O_READ)) < 0)
			continue;
		if ((p->write = open_pipe(write, O_WRITE)) >= 0)
			return true;
		sys_close(p->read);
	}
	return false;
}

// take returns how many tokens were free, up to n.
static int take(struct pool p, char *tokens, int n) {
	long got;
	do
		got = sys_read(p.read, tokens, (size_t)n);
	while (got == -E_INTR);
	return got > 0 ? (int)got : 0;
}

// give puts tokens back. The pipe has room for what came out of it.
static void give(struct pool p, const char *tokens, int n) {
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

#define BIT(signal) ((uint64_t)1 << ((signal) - 1))
enum { SIG_HUP = 1, SIG_INT = 2, SIG_QUIT = 3, SIG_TERM = 15, SIG_CHLD = 17 };

// wait_for waits for a child and returns the status for this program. Signals that would
// end this program go to the child, so that the tokens still come back.
static int wait_for(long child, uint64_t set) {
	int status = 0;
	for (long ended; (ended = sys_wait(child, &status)) != child;) {
		if (ended < 0)
			return 1;
		int signal = wait_signal(set);
		if (signal > 0 && signal != SIG_CHLD)
			sys_kill(child, signal);
	}
	return status & 0x7F ? 128 + (status & 0x7F) : status >> 8 & 0xFF;
}

// run_to_end runs c to its end, gives the tokens back and ends this program. It returns
// if no process can be started.
static void run_to_end(struct command *c, struct pool p, const char *tokens, int n) {
	uint64_t set = BIT(SIG_HUP) | BIT(SIG_INT) | BIT(SIG_QUIT) | BIT(SIG_TERM) | BIT(SIG_CHLD), before;
	block_signals(set, &before);
	bool ignored = set_ignored(SIG_CHLD, false); // with it, no status would come
	long self = sys_getpid(), child = sys_fork();
	if (child > 0) {
		int code = wait_for(child, set);
		give(p, tokens, n);
		sys_exit(code);
	}
	if (ignored)
		set_ignored(SIG_CHLD, true);
	restore_signals(before);
	if (child < 0)
		return;
	die_with_parent();
	if (sys_getppid() != self)
		sys_exit(1); // the parent ended before
	become(c->path, c->argv, c->label);
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

// limit_threads passes LLD the number of threads, unless the user does or LLD would
// choose the same. With tokens of a jobserver to give back, it runs LLD and ends this
// program; else it returns with what to become.
void limit_threads(struct command *c, int count) {
	struct pool p;
	char tokens[MAX_THREADS], **argv = c->argv;
	if (chooses_threads(argv))
		return;
	int cpus = count_cpus(), most = cpus < MAX_THREADS ? cpus : MAX_THREADS, n = startable(most);
	if (!*configured("jobserver") || !open_pool(&p)) {
		if (n < most)
			c->argv = with_threads(argv, count, n);
		return;
	}
	int taken = take(p, tokens, n - 1);
	c->argv = with_threads(argv, count, 1 + taken);
	if (taken == 0)
		return;
	run_to_end(c, p, tokens, taken);
	give(p, tokens, taken);
	c->argv = with_threads(argv, count, 1);
}
