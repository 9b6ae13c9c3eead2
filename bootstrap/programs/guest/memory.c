// How much memory this program may have, and how many threads of LLD fit.
#include "guest.h"

// value returns the number behind a name in a file of lines such as "MemAvailable: 1 kB";
// with no name, the first one. It is UINT64_MAX if there is none, as in "max".
static uint64_t value(const char *path, const char *name) {
	size_t size;
	uint64_t n = 0;
	const char *text = read_file(path, &size);
	for (char *line; text && next_word(&text, '\n', &line);) {
		const char *s = cut_prefix(line, name);
		if (!s || (*name && *s != ':' && *s != ' '))
			continue;
		while (*s == ':' || *s == ' ')
			s++;
		if (*s < '0' || *s > '9')
			break;
		for (; *s >= '0' && *s <= '9' && n < UINT64_MAX / 16; s++)
			n = n * 10 + (uint64_t)(*s - '0');
		return n;
	}
	return UINT64_MAX;
}

// group_room returns what the groups of control at and above path leave. The files of a
// group differ between the versions of the kernel's interface
// (`Documentation/admin-guide/cgroup-v2.rst`, `cgroup-v1/memory.rst`).
static uint64_t group_room(bool first, const char *path) {
	const char *root = first ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", *last;
	uint64_t room = UINT64_MAX;
	for (char *dir = concat(root, path, ""), *next; cut_prefix(dir, root); dir = next) {
		uint64_t most = value(join(dir, first ? "memory.limit_in_bytes" : "memory.max"), "");
		uint64_t high = value(join(dir, first ? "memory.soft_limit_in_bytes" : "memory.high"), "");
		uint64_t now = value(join(dir, first ? "memory.usage_in_bytes" : "memory.current"), "");
		// The cache of files is part of what a group has, and can be dropped.
		uint64_t cache = value(join(dir, "memory.stat"), first ? "total_inactive_file" : "inactive_file");
		most = high < most ? high : most;
		if (most != UINT64_MAX && now != UINT64_MAX) {
			now -= cache < now ? cache : 0;
			uint64_t left = most > now ? most - now : 0;
			room = left < room ? left : room;
		}
		if (!split(dir, &next, &last))
			break;
	}
	return room;
}

// available returns how much memory this program may yet have: what the system has, and
// its control groups leave.
static uint64_t available(void) {
	uint64_t room = value("/proc/meminfo", "MemAvailable");
	if (room != UINT64_MAX)
		room <<= 10;
	size_t size;
	const char *groups = read_file("/proc/self/cgroup", &size);
	for (char *line; groups && next_word(&groups, '\n', &line);) {
		const char *rest = line, *path;
		char *id, *controllers;
		if (!next_word(&rest, ':', &id) || !next_word(&rest, ':', &controllers) || !(path = rest))
			continue;
		bool memory = equal(controllers, "memory");
		if (!memory && !equal(id, "0"))
			continue;
		uint64_t left = group_room(memory, path);
		room = left < room ? left : room;
	}
	return room;
}

int fitting(uint64_t inputs, int most) {
	// LLD maps its inputs and its output, which is about as large; each thread has an
	// arena and buffers for what it works on.
	uint64_t need = ((uint64_t)64 << 20) + 2 * inputs, each = ((uint64_t)32 << 20) + inputs / 16, room = available();
	if (room < need + each)
		return 1;
	uint64_t more = (room - need) / each;
	return more < (uint64_t)most - 1 ? (int)more + 1 : most;
}
