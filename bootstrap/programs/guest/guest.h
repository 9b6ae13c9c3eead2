// What the parts of the guest program share. See guest.c.
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Nothing is looked up in another file, so no address has to be relocated at the start.
#pragma GCC visibility push(hidden)

#define NORETURN __attribute__((noreturn))

// kernel.c: system calls return -errno if they fail.
enum {
	E_NOENT = 2, E_INTR = 4, E_AGAIN = 11, E_NOMEM = 12,
	O_READ = 0, O_WRITE = 1, O_NONBLOCKING = 04000, O_CLOSE_ON_EXEC = 02000000,
	TYPE_MASK = 0170000, TYPE_FIFO = 0010000, TYPE_REGULAR = 0100000, ANY_EXECUTE = 0111, OWNER_READ = 0400, OWNER_WRITE = 0200,
	PATH_SIZE = 4096, // PATH_MAX, with the NUL
};
struct file { uint64_t device, inode, size; uint32_t mode; };
long sys_open(const char *path, int flags);
void sys_close(int fd);
long sys_read(int fd, void *to, size_t size);
long sys_write(int fd, const void *from, size_t size);
long sys_read_now(int fd, void *to, size_t size);
void append_to(const char *path, const char *line);
bool stat_file(const char *path, struct file *f);
bool stat_link(const char *path, struct file *f);
bool stat_fd(int fd, struct file *f);
bool opened_for(int fd, int flag);
long read_link(const char *path, char *to, size_t size);
long current_dir(char *to, size_t size);
void *map_memory(size_t size);
long sys_exec(const char *path, char **argv, char **envp);
long sys_fork(void);
long sys_wait(long pid, int *status, bool block);
long sys_kill(long pid, int signal);
long sys_getpid(void);
long sys_getppid(void);
enum { SIG_CHLD = 17 };
uint64_t block_signals(void);
void restore_signals(uint64_t set);
int next_signal(bool *sent);
void die_of(int signal);
bool set_ignored(int signal, bool ignored);
void die_with_parent(void);
long move_fd(int fd, int least);
int count_cpus(void);
enum resource { LIMIT_DATA = 2, LIMIT_PROCESSES = 6, LIMIT_ADDRESSES = 9 };
uint64_t limit(enum resource r);
NORETURN void sys_exit(int status);

// text.c
size_t length(const char *s);
bool equal(const char *a, const char *b);
const char *cut_prefix(const char *s, const char *prefix); // NULL without it
bool has_suffix(const char *s, const char *suffix);
bool has_part(const char *s, const char *part);
bool lists(const char *words, const char *word); // with commas between them
char *last_byte(const char *s, char c); // NULL without it
void copy(void *to, const void *from, size_t n);
void *allocate(size_t n); // never freed: the program ends soon
char *duplicate(const char *s, size_t n);
char *concat(const char *a, const char *b, const char *c);
char *number(unsigned long n);
bool parse_number(const char *s, size_t n, unsigned *value);
bool next_word(const char **list, char separator, char **word);
char *next_quoted(char **text, bool escapes_in_single); // NULL at the end
char *quote(const char *name);
char *show(const char *path);

// guest.c
extern char **environment;
const char *configured(const char *key); // "" if it is not set
const char *variable(const char *name);  // of the environment; "" if it is not set
NORETURN void fail(const char *message);
void complain(const char *message);
const char *describe(long error);
NORETURN void become(const char *path, char **argv, const char *label);

// path.c
char *own_path(void);
bool split(const char *path, char **dir, const char **name); // false without a directory
char *join(const char *dir, const char *name);
char *real_path(const char *path); // NULL if it leads nowhere
char *read_file(const char *path, size_t *size); // NULL if it can't be read

// The jobs: wrapper.c and launcher.c. args ends with NULL, and is without argv[0].
struct command {
	char *path, **argv;
	const char *label; // what messages call it
	bool threads;      // whether it is an LLD that takes --threads behind its flavor
};
NORETURN void wrapper(const char *self, int count, char **args);
NORETURN void launcher(const char *self, int count, char **args);
char *system_linker(const char *self, char **args);           // system.c
bool asked_for_lld(void);                                     // users.c
char *users_lld(const char *self, const char *name);
char *find_program(const char *self, const char *dirs, const char *name);
char *target_prefix(const char *driver);
void limit_threads(struct command *c, char **args, int count); // threads.c

// link.c
struct link {
	const char *output;
	uint64_t size; // of the inputs that are named by a path, if it is asked for
	bool threads;  // the user says how many
	bool macros;   // it makes a crate of procedural macros, if that is asked for
};
struct link see_link(char **args, bool sizes, bool leaves);
bool is_leaf(const struct link *l);
int fitting(uint64_t inputs, int most); // memory.c

// jobserver.c
struct pool {
	int read, write;
	bool shared; // the descriptors are those of others, too
	const char *name, *value; // where it was found
};
enum found { POOL_NONE, POOL_CLOSED, POOL_OPEN };
enum found open_pool(struct pool *p);
int take(struct pool p, char *tokens, int n); // returns how many of n were free
void give(struct pool p, const char *tokens, int n);
bool run_to_end(struct command *c, uint64_t before, struct pool p, const char *tokens, int n); // child.c

#endif
