// Text, and the memory for it.
#include "guest.h"

size_t length(const char *s) {
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

const char *cut_prefix(const char *s, const char *prefix) {
	for (; *prefix; s++, prefix++)
		if (*s != *prefix)
			return NULL;
	return s;
}

bool equal(const char *a, const char *b) {
	const char *rest = cut_prefix(a, b);
	return rest && !*rest;
}

bool has_suffix(const char *s, const char *suffix) {
	size_t n = length(s), m = length(suffix);
	return n >= m && equal(s + n - m, suffix);
}

bool has_part(const char *s, const char *part) {
	for (; *s; s++)
		if (cut_prefix(s, part))
			return true;
	return false;
}

bool lists(const char *words, const char *word) {
	for (char *next; next_word(&words, ',', &next);)
		if (equal(next, word))
			return true;
	return false;
}

char *last_byte(const char *s, char c) {
	const char *found = NULL;
	for (; *s; s++)
		if (*s == c)
			found = s;
	return (char *)found;
}

void copy(void *to, const void *from, size_t n) {
	char *t = to;
	for (const char *f = from; n; n--)
		*t++ = *f++;
}

// The compiler may call these, whatever it is told.
void *memcpy(void *to, const void *from, size_t n) {
	copy(to, from, n);
	return to;
}

void *memset(void *to, int c, size_t n) {
	for (char *t = to; n; n--)
		*t++ = (char)c;
	return to;
}

void *allocate(size_t n) {
	enum { CHUNK = 64 << 10 };
	static _Alignas(16) char first[16 << 10]; // enough for most links
	static size_t used, size;
	static char *chunk;
	if (!chunk)
		chunk = first, size = sizeof first;
	n = (n + 15) & ~(size_t)15;
	if (n > size - used) {
		size = n > CHUNK ? n : CHUNK;
		if (!(chunk = map_memory(size)))
			fail(concat("out of memory: ", describe(-E_NOMEM), ""));
		used = 0;
	}
	used += n;
	return chunk + used - n;
}

char *duplicate(const char *s, size_t n) {
	char *d = allocate(n + 1);
	copy(d, s, n);
	d[n] = 0;
	return d;
}

char *concat(const char *a, const char *b, const char *c) {
	size_t la = length(a), lb = length(b), lc = length(c);
	char *s = allocate(la + lb + lc + 1);
	copy(s, a, la);
	copy(s + la, b, lb);
	copy(s + la + lb, c, lc + 1);
	return s;
}

char *number(unsigned long n) {
	char *s = allocate(24), *end = s + 23;
	*end = 0;
	do
		*--end = (char)('0' + n % 10);
	while (n /= 10);
	return end;
}

// parse_number takes n digits. A number of a descriptor has at most nine.
bool parse_number(const char *s, size_t n, unsigned *value) {
	if (n == 0 || n > 9)
		return false;
	for (*value = 0; n; n--, s++) {
		if (*s < '0' || *s > '9')
			return false;
		*value = *value * 10 + (unsigned)(*s - '0');
	}
	return true;
}

// next_word cuts a list before its next separator. Words may be empty.
bool next_word(const char **list, char separator, char **word) {
	const char *s = *list;
	if (!s)
		return false;
	size_t n = 0;
	while (s[n] && s[n] != separator)
		n++;
	*word = duplicate(s, n);
	*list = s[n] ? s + n + 1 : NULL;
	return true;
}

static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// next_quoted cuts the next word of a text, in its place, as gcc writes and all drivers
// and LLD read response files: blanks separate, quotes and backslashes protect. Within
// single quotes, COLLECT_GCC_OPTIONS has no backslashes.
char *next_quoted(char **text, bool escapes_in_single) {
	char *s = *text, quoted = 0;
	while (is_blank(*s))
		s++;
	if (!*s)
		return NULL;
	char *word = s, *to = s;
	for (; *s && (quoted || !is_blank(*s)); s++) {
		if (*s == '\\' && s[1] && (quoted != '\'' || escapes_in_single))
			*to++ = *++s;
		else if (quoted ? *s == quoted : *s == '\'' || *s == '"')
			quoted = quoted ? 0 : *s;
		else
			*to++ = *s;
	}
	*text = *s ? s + 1 : s;
	*to = 0;
	return word;
}

// decode returns how many bytes the character at s has, or 0 if that is no UTF-8.
static size_t decode(const unsigned char *s, uint32_t *rune) {
	if (s[0] < 0x80)
		return *rune = s[0], 1;
	size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
	if (s[0] < 0xC2 || s[0] > 0xF4)
		return 0;
	*rune = s[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		*rune = *rune << 6 | (s[i] & 0x3F);
	}
	if ((n == 3 && *rune < 0x800) || (n == 4 && *rune < 0x10000) || *rune > 0x10FFFF || (*rune >= 0xD800 && *rune < 0xE000))
		return 0;
	return n;
}

static char *hex(char *to, uint32_t value, char ten) {
	int shift = 4;
	while (value >> shift)
		shift += 4;
	for (; shift; to++) {
		uint32_t digit = value >> (shift -= 4) & 15;
		*to = (char)(digit < 10 ? '0' + digit : (uint32_t)ten + digit - 10);
	}
	return to;
}

// escape writes a character as Rust's {:?} does; n is its size, 0 for a byte that is
// no UTF-8. Control characters could command a terminal.
static char *escape(char *to, const char *s, size_t n, uint32_t rune) {
	const char *letters = "n\nr\rt\t\"\"\\\\";
	for (const char *l = letters; n && *l; l += 2)
		if (*s == l[1])
			return *to++ = '\\', *to++ = *l, to;
	if (n == 0) {
		*to++ = '\\', *to++ = 'x';
		return hex(to, (unsigned char)*s, 'A');
	}
	if (rune < 0x20 || (rune >= 0x7F && rune < 0xA0)) {
		*to++ = '\\', *to++ = 'u', *to++ = '{';
		to = hex(to, rune, 'a');
		return *to++ = '}', to;
	}
	copy(to, s, n);
	return to + n;
}

// quote shows a file name as Rust's {:?} does.
char *quote(const char *name) {
	char *quoted = allocate(length(name) * 6 + 3), *to = quoted; // at most \u{7f} for a byte
	*to++ = '"';
	while (*name) {
		uint32_t rune = 0;
		size_t n = decode((const unsigned char *)name, &rune);
		to = escape(to, name, n, rune);
		name += n ? n : 1;
	}
	*to++ = '"', *to = 0;
	return quoted;
}

// show returns a path as it is, or quoted if a terminal must not get it so.
char *show(const char *path) {
	char *quoted = quote(path);
	size_t n = length(path);
	return length(quoted) == n + 2 ? duplicate(path, n) : quoted;
}
