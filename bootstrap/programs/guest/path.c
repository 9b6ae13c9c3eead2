// Names of files, and what they hold.
#include "guest.h"

// split cuts a path before its last slash. The directory keeps the slash if it is the
// root.
bool split(const char *path, char **dir, const char **name) {
	const char *slash = last_byte(path, '/');
	*dir = NULL, *name = path;
	if (!slash || !path[1])
		return false;
	*dir = duplicate(path, slash == path ? 1 : (size_t)(slash - path));
	*name = slash + 1;
	return true;
}

char *join(const char *dir, const char *name) { return concat(dir, has_suffix(dir, "/") ? "" : "/", name); }

// absolute returns the path with the current directory before it.
static char *absolute(const char *path) {
	char here[PATH_SIZE];
	if (*path == '/')
		return duplicate(path, length(path));
	if (current_dir(here, sizeof here) <= 0 || *here != '/')
		return NULL;
	return join(here, path);
}

// real_path resolves all symbolic links, without help of /proc. It is NULL if a part of
// the path is missing or not to be searched.
char *real_path(const char *path) {
	char link[PATH_SIZE], *word, *real = duplicate("", 0);
	const char *rest = absolute(path);
	for (int links = 0; next_word(&rest, '/', &word);) {
		if (!*word || equal(word, "."))
			continue;
		if (equal(word, "..")) {
			char *slash = last_byte(real, '/');
			if (slash)
				*slash = 0;
			continue;
		}
		char *next = concat(real, "/", word);
		long n = read_link(next, link, sizeof link - 1);
		if (n < 0) {
			real = next; // no link, or nothing: stat tells
			continue;
		}
		if (++links > 40)
			return NULL;
		link[n] = 0;
		if (*link == '/')
			real = duplicate("", 0);
		rest = rest ? concat(link, "/", rest) : duplicate(link, (size_t)n);
	}
	struct file f;
	return *real && stat_file(real, &f) ? real : NULL;
}

// read_file returns what a file of any kind holds, with a NUL behind it.
char *read_file(const char *path, size_t *size) {
	long fd = sys_open(path, O_READ), n;
	if (fd < 0)
		return NULL;
	size_t room = 8 << 10;
	char *text = allocate(room);
	for (*size = 0; (n = sys_read((int)fd, text + *size, room - *size - 1)) != 0;) {
		if (n == -E_INTR)
			continue;
		if (n < 0)
			break;
		*size += (size_t)n;
		if (*size == room - 1) {
			char *more = allocate(room *= 2);
			copy(more, text, *size);
			text = more;
		}
	}
	sys_close((int)fd);
	text[*size] = 0;
	return n < 0 ? NULL : text;
}
