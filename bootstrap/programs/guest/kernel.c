// The system calls, and how the kernel starts a program.
#include "guest.h"

#if defined(__x86_64__)
enum {
	SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_mmap = 9, SYS_rt_sigaction = 13, SYS_rt_sigprocmask = 14, SYS_getpid = 39, SYS_clone = 56,
	SYS_execve = 59, SYS_wait4 = 61, SYS_kill = 62, SYS_fcntl = 72, SYS_getcwd = 79, SYS_getrlimit = 97, SYS_getppid = 110, SYS_rt_sigtimedwait = 128, SYS_prctl = 157,
	SYS_sched_getaffinity = 204, SYS_exit_group = 231, SYS_openat = 257, SYS_newfstatat = 262, SYS_readlinkat = 267, SYS_preadv2 = 327,
};
struct kernel_stat { uint64_t dev, ino, nlink; uint32_t mode, owner[3]; uint64_t rdev, size, rest[11]; };

__asm__(".text\n.globl _start\n.type _start, @function\n_start:\n"
	"xor %ebp, %ebp\nmov %rsp, %rdi\nand $-16, %rsp\ncall start\nhlt\n.size _start, . - _start\n");

static long call(long n, long a, long b, long c, long d, long e, long f) {
	long result;
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
enum {
	SYS_getcwd = 17, SYS_fcntl = 25, SYS_openat = 56, SYS_close = 57, SYS_read = 63, SYS_write = 64, SYS_readlinkat = 78, SYS_newfstatat = 79,
	SYS_exit_group = 94, SYS_sched_getaffinity = 123, SYS_kill = 129, SYS_rt_sigaction = 134, SYS_rt_sigprocmask = 135, SYS_rt_sigtimedwait = 137,
	SYS_getrlimit = 163, SYS_prctl = 167, SYS_getpid = 172, SYS_getppid = 173, SYS_clone = 220, SYS_execve = 221, SYS_mmap = 222, SYS_wait4 = 260, SYS_preadv2 = 286,
};
struct kernel_stat { uint64_t dev, ino; uint32_t mode, owner[3]; uint64_t rdev, pad, size, rest[9]; };

__asm__(".text\n.globl _start\n.type _start, %function\n_start:\n"
	"mov x29, #0\nmov x30, #0\nmov x0, sp\nbl start\nbrk #0\n.size _start, . - _start\n");

static long call(long n, long a, long b, long c, long d, long e, long f) {
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
		x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#error "no system calls for this machine"
#endif

enum { AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000, SIGSET_SIZE = 8, SIG_KILL = 9 };

#define BIT(signal) ((uint64_t)1 << ((signal) - 1))

#define CALL(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(n, a, b, c, d) call(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

long sys_open(const char *path, int flags) { return CALL4(SYS_openat, AT_FDCWD, path, flags | O_CLOSE_ON_EXEC, 0); }
void sys_close(int fd) { CALL(SYS_close, fd, 0, 0); }
long sys_read(int fd, void *to, size_t size) { return CALL(SYS_read, fd, to, size); }
long sys_write(int fd, const void *from, size_t size) { return CALL(SYS_write, fd, from, size); }
long read_link(const char *path, char *to, size_t size) { return CALL4(SYS_readlinkat, AT_FDCWD, path, to, size); }
long current_dir(char *to, size_t size) { return CALL(SYS_getcwd, to, size, 0); }
long sys_exec(const char *path, char **argv, char **envp) { return CALL(SYS_execve, path, argv, envp); }
long sys_fork(void) { return call(SYS_clone, SIG_CHLD, 0, 0, 0, 0, 0); }

// sys_wait returns 0 while the child lives, if it is not to block.
long sys_wait(long pid, int *status, bool block) {
	enum { WNOHANG = 1 };
	long ended;
	do
		ended = CALL4(SYS_wait4, pid, status, block ? 0 : WNOHANG, 0);
	while (ended == -E_INTR);
	return ended;
}

long sys_kill(long pid, int signal) { return CALL(SYS_kill, pid, signal, 0); }
long sys_getpid(void) { return CALL(SYS_getpid, 0, 0, 0); }
long sys_getppid(void) { return CALL(SYS_getppid, 0, 0, 0); }

void sys_exit(int status) {
	for (;;)
		CALL(SYS_exit_group, status, 0, 0);
}

static bool stat_at(int fd, const char *path, int flags, struct file *f) {
	struct kernel_stat st;
	if (CALL4(SYS_newfstatat, fd, path, &st, flags) < 0)
		return false;
	f->device = st.dev, f->inode = st.ino, f->size = st.size, f->mode = st.mode;
	return true;
}

bool stat_file(const char *path, struct file *f) { return stat_at(AT_FDCWD, path, 0, f); }
bool stat_link(const char *path, struct file *f) { return stat_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, f); }
bool stat_fd(int fd, struct file *f) { return stat_at(fd, "", AT_EMPTY_PATH, f); }

// opened_for reports whether a descriptor was opened to read or to write.
bool opened_for(int fd, int flag) {
	enum { F_GETFL = 3, ACCESS_MODE = 3, READ_AND_WRITE = 2 };
	long flags = CALL(SYS_fcntl, fd, F_GETFL, 0);
	return flags >= 0 && ((flags & ACCESS_MODE) == flag || (flags & ACCESS_MODE) == READ_AND_WRITE);
}

// sys_read_now reads what a pipe holds and does not wait for more, whatever the flags
// of the descriptor. Linux before 6.5 can't.
long sys_read_now(int fd, void *to, size_t size) {
	enum { RWF_NOWAIT = 8 };
	struct { void *to; size_t size; } part = {to, size};
	return call(SYS_preadv2, fd, (long)&part, 1, -1, -1, RWF_NOWAIT);
}

// append_to adds a line to a file, in one piece.
void append_to(const char *path, const char *line) {
	enum { O_CREATE = 0100, O_APPEND = 02000, O_NOCTTY = 0400 };
	long fd = CALL4(SYS_openat, AT_FDCWD, path, O_WRITE | O_CREATE | O_APPEND | O_NOCTTY | O_NONBLOCKING | O_CLOSE_ON_EXEC, 0666);
	if (fd < 0)
		return;
	sys_write((int)fd, line, length(line));
	sys_close((int)fd);
}

// map_memory returns NULL if there is none.
void *map_memory(size_t size) {
	enum { PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22 };
	long at = call(SYS_mmap, 0, (long)size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
	return at < 0 && at > -4096 ? NULL : (void *)at;
}

// caught are the signals that would end this program, and SIGCHLD. Those that stop a
// program still do, and one that a fault of this program raises ends it.
static uint64_t caught(void) {
	enum { SIG_CONT = 18, SIG_STOP = 19, SIG_TSTP = 20, SIG_TTIN = 21, SIG_TTOU = 22, SIG_URG = 23, SIG_WINCH = 28 };
	return ~(BIT(SIG_KILL) | BIT(SIG_CONT) | BIT(SIG_STOP) | BIT(SIG_TSTP) | BIT(SIG_TTIN) | BIT(SIG_TTOU) | BIT(SIG_URG) | BIT(SIG_WINCH));
}

// block_signals has them wait for next_signal, and returns the mask before.
uint64_t block_signals(void) {
	enum { SIG_BLOCK = 0 };
	uint64_t set = caught(), before = 0;
	CALL4(SYS_rt_sigprocmask, SIG_BLOCK, &set, &before, SIGSET_SIZE);
	return before;
}

void restore_signals(uint64_t set) {
	enum { SIG_SETMASK = 2 };
	CALL4(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, SIGSET_SIZE);
}

// next_signal waits for a blocked signal and returns its number, or an error. sent is
// false if it was a key of the terminal, or its end: the kernel tells all programs there.
int next_signal(bool *sent) {
	enum { SI_KERNEL = 0x80, SIG_HUP = 1, SIG_INT = 2, SIG_QUIT = 3 };
	uint64_t set = caught();
	struct { int signal, error, code, rest[29]; } info = {0, 0, 0, {0}};
	long n;
	do
		n = CALL4(SYS_rt_sigtimedwait, &set, &info, NULL, SIGSET_SIZE);
	while (n == -E_INTR);
	*sent = info.code != SI_KERNEL || (n != SIG_HUP && n != SIG_INT && n != SIG_QUIT);
	return (int)n;
}

// die_of ends this program by a signal, without an image of its memory.
void die_of(int signal) {
	enum { PR_SET_DUMPABLE = 4 };
	CALL(SYS_prctl, PR_SET_DUMPABLE, 0, 0);
	set_ignored(signal, false);
	sys_kill(sys_getpid(), signal);
	restore_signals(~BIT(signal));
}

// set_ignored has a signal ignored or handled by default, and returns whether it was
// ignored.
bool set_ignored(int signal, bool ignored) {
	struct { uint64_t handler, flags, restorer, mask; } action = {ignored, 0, 0, 0}, before = {0, 0, 0, 0};
	CALL4(SYS_rt_sigaction, signal, &action, &before, SIGSET_SIZE);
	return before.handler == 1;
}

void die_with_parent(void) {
	enum { PR_SET_PDEATHSIG = 1 };
	CALL(SYS_prctl, PR_SET_PDEATHSIG, SIG_KILL, 0);
}

// move_fd returns a descriptor of the same file that is not below least.
long move_fd(int fd, int least) {
	enum { F_DUPFD_CLOEXEC = 1030 };
	if (fd < 0 || fd >= least)
		return fd;
	long moved = CALL(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
	sys_close(fd);
	return moved;
}

// limit returns what this program may have of something, UINT64_MAX if it has no limit.
uint64_t limit(enum resource r) {
	struct { uint64_t now, most; } limits;
	return CALL(SYS_getrlimit, r, &limits, 0) < 0 ? UINT64_MAX : limits.now;
}

// count_cpus counts the processors that this program may run on.
int count_cpus(void) {
	uint64_t set[128]; // 8192 processors
	long size = CALL(SYS_sched_getaffinity, 0, sizeof set, set);
	int n = 0;
	for (long i = 0; i < size / 8; i++)
		for (uint64_t bits = set[i]; bits; bits &= bits - 1)
			n++;
	return n > 0 ? n : 1;
}
