// The system calls, and how the kernel starts a program.
#include "guest.h"

#if defined(__x86_64__)
enum {
	SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_mmap = 9, SYS_rt_sigaction = 13, SYS_rt_sigprocmask = 14, SYS_getpid = 39, SYS_clone = 56,
	SYS_execve = 59, SYS_wait4 = 61, SYS_kill = 62, SYS_fcntl = 72, SYS_getcwd = 79, SYS_getrlimit = 97, SYS_getppid = 110, SYS_rt_sigtimedwait = 128, SYS_prctl = 157,
	SYS_sched_getaffinity = 204, SYS_exit_group = 231, SYS_openat = 257, SYS_newfstatat = 262, SYS_readlinkat = 267,
};
struct kernel_stat { uint64_t dev, ino, nlink; uint32_t mode; uint32_t rest[29]; };

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
	SYS_getrlimit = 163, SYS_prctl = 167, SYS_getpid = 172, SYS_getppid = 173, SYS_clone = 220, SYS_execve = 221, SYS_mmap = 222, SYS_wait4 = 260,
};
struct kernel_stat { uint64_t dev, ino; uint32_t mode; uint32_t rest[29]; };

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

enum { AT_FDCWD = -100, SIGSET_SIZE = 8, SIGCHLD = 17, SIGKILL = 9 };

#define CALL(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(n, a, b, c, d) call(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

long sys_open(const char *path, int flags) { return CALL4(SYS_openat, AT_FDCWD, path, flags | O_CLOSE_ON_EXEC, 0); }
void sys_close(int fd) { CALL(SYS_close, fd, 0, 0); }
long sys_read(int fd, void *to, size_t size) { return CALL(SYS_read, fd, to, size); }
long sys_write(int fd, const void *from, size_t size) { return CALL(SYS_write, fd, from, size); }
long read_link(const char *path, char *to, size_t size) { return CALL4(SYS_readlinkat, AT_FDCWD, path, to, size); }
long current_dir(char *to, size_t size) { return CALL(SYS_getcwd, to, size, 0); }
long sys_exec(const char *path, char **argv, char **envp) { return CALL(SYS_execve, path, argv, envp); }
long sys_fork(void) { return call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0); }

// sys_wait does not block: it returns 0 while the child lives.
long sys_wait(long pid, int *status) {
	enum { WNOHANG = 1 };
	return CALL4(SYS_wait4, pid, status, WNOHANG, 0);
}

long sys_kill(long pid, int signal) { return CALL(SYS_kill, pid, signal, 0); }
long sys_getpid(void) { return CALL(SYS_getpid, 0, 0, 0); }
long sys_getppid(void) { return CALL(SYS_getppid, 0, 0, 0); }

void sys_exit(int status) {
	for (;;)
		CALL(SYS_exit_group, status, 0, 0);
}

bool stat_file(const char *path, struct file *f) {
	struct kernel_stat st;
	if (CALL4(SYS_newfstatat, AT_FDCWD, path, &st, 0) < 0)
		return false;
	f->device = st.dev, f->inode = st.ino, f->mode = st.mode;
	return true;
}

// map_memory returns NULL if there is none.
void *map_memory(size_t size) {
	enum { PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22 };
	long at = call(SYS_mmap, 0, (long)size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
	return at < 0 && at > -4096 ? NULL : (void *)at;
}

long block_signals(uint64_t set, uint64_t *before) {
	enum { SIG_BLOCK = 0 };
	return CALL4(SYS_rt_sigprocmask, SIG_BLOCK, &set, before, SIGSET_SIZE);
}

void restore_signals(uint64_t set) {
	enum { SIG_SETMASK = 2 };
	CALL4(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, SIGSET_SIZE);
}

// wait_signal returns the number of the next blocked signal of the set.
int wait_signal(uint64_t set) {
	long n;
	do
		n = CALL4(SYS_rt_sigtimedwait, &set, NULL, NULL, SIGSET_SIZE);
	while (n == -E_INTR);
	return (int)n;
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
	CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
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
