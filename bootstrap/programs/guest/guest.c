// The program that x puts into a toolchain whose host runs Linux: it stands in gcc-ld
// in the place of LLD, or before rustc. See the Go commands lldwrapper and launcher,
// which do the same on other systems, for what it does and why.
//
// It needs no library and no interpreter, and sets up nothing. What becomes of it has
// the limits, the signal mask, the ignored signals, the descriptors and the environment
// of the caller, as if the caller had started that program itself.
//
// One program has all jobs. What it is to do stands in its own file: whoever places it
// writes the settings behind the mark, as "key=value" with a NUL behind each.
#include "guest.h"

#define MARK "x.go guest settings:"

static const struct {
	char mark[sizeof MARK - 1], settings[PATH_SIZE + 512];
} block __attribute__((used)) = {MARK, ""};

char **environment;
static const char *name_of_job;
static const char *executed; // the path that the kernel was given, or NULL

const char *configured(const char *key) {
	const char *s = block.settings;
	__asm__("" : "+r"(s)); // what the compiler sees there is not what is there
	for (; *s; s += length(s) + 1) {
		const char *value = cut_prefix(s, key);
		if (value && *value == '=')
			return value + 1;
	}
	return "";
}

const char *variable(const char *name) {
	for (char **e = environment; *e; e++) {
		const char *value = cut_prefix(*e, name);
		if (value && *value == '=')
			return value + 1;
	}
	return "";
}

void complain(const char *message) {
	char *line = concat(concat(name_of_job, ": ", message), "\n", "");
	for (size_t n = length(line); n > 0;) {
		long written = sys_write(2, line, n);
		if (written < 0 && written != -E_INTR)
			return;
		if (written > 0)
			line += written, n -= (size_t)written;
	}
}

// fail has the status of the original gcc-ld program.
void fail(const char *message) {
	complain(message);
	sys_exit(1);
}

// describe words an error of the system as Rust's standard library does.
const char *describe(long error) {
	static const char texts[] =
		"1 Operation not permitted\0" "2 No such file or directory\0" "5 Input/output error\0" "6 No such device or address\0"
		"7 Argument list too long\0" "8 Exec format error\0" "9 Bad file descriptor\0" "11 Resource temporarily unavailable\0"
		"12 Cannot allocate memory\0" "13 Permission denied\0" "14 Bad address\0" "16 Device or resource busy\0" "20 Not a directory\0"
		"21 Is a directory\0" "22 Invalid argument\0" "23 Too many open files in system\0" "24 Too many open files\0"
		"26 Text file busy\0" "28 No space left on device\0" "32 Broken pipe\0" "36 File name too long\0" "38 Function not implemented\0"
		"40 Too many levels of symbolic links\0" "80 Accessing a corrupted shared library\0" "116 Stale file handle\0";
	const char *n = number((unsigned long)-error), *text = "Unknown error";
	for (const char *t = texts; *t; t += length(t) + 1) {
		const char *found = cut_prefix(t, n);
		if (found && *found == ' ')
			text = found + 1;
	}
	return concat(text, " (os error ", concat(n, ")", ""));
}

// become replaces this program.
void become(const char *path, char **argv, const char *label) {
	long error = sys_exec(path, argv, environment);
	struct file f;
	const char *why = describe(error);
	if (error == -E_NOENT && stat_file(path, &f))
		why = concat(why, ": it is there, but the interpreter or dynamic linker that it asks for is not", "");
	fail(concat(concat("could not exec ", show(label), ": "), why, ""));
}

// own_path returns where this program's file really is: gcc-ld/wasm-ld as a link to
// ld.lld is ld.lld. Where /proc is not mounted, the kernel's own record of the path that
// it was given has to do, or what the caller said.
char *own_path(void) {
	char link[PATH_SIZE], *path = NULL;
	long n = read_link("/proc/self/exe", link, sizeof link - 1);
	if (n > 0)
		return duplicate(link, (size_t)n);
	if (executed && (path = real_path(executed)))
		return path;
	fail(concat("could not get the path of the current executable: ", describe(n), ""));
}

// start gets what the kernel put on the stack: the number of arguments, the arguments,
// the environment, and pairs of numbers.
__attribute__((used)) NORETURN void start(long *stack) {
	enum { AT_EXECFN = 31 };
	int count = (int)stack[0];
	char **argv = (char **)(stack + 1), **end;
	environment = argv + count + 1;
	for (end = environment; *end; end++) {
	}
	if (count > 0 && last_byte(argv[0], '/'))
		executed = argv[0];
	for (long *pair = (long *)(end + 1); pair[0]; pair += 2)
		if (pair[0] == AT_EXECFN)
			executed = (const char *)pair[1];
	const char *job = configured("job");
	name_of_job = "x";
	bool wraps = equal(job, "lldwrapper"), launches = equal(job, "launcher");
	if (!wraps && !launches)
		fail(concat("built for unknown job ", quote(job), ""));
	name_of_job = wraps ? "lld-wrapper" : "rustc-launcher";
	int skipped = count > 0; // a caller may leave out even the name
	(wraps ? wrapper : launcher)(own_path(), count - skipped, argv + skipped);
}
