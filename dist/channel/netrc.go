package channel

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"x.go/dist"
)

// maxNetrc bounds the file of logins, in bytes.
const maxNetrc = 1 << 20

// login adds the login of netrc for the server of a request, unless the URL has one. The
// file is that of NETRC in the environment, or .netrc in the home directory. What cannot
// be read has no login, as with curl.
func login(req *http.Request) {
	if req.URL.User != nil {
		return
	}
	path := os.Getenv("NETRC")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return
		}
		name := ".netrc"
		if runtime.GOOS == "windows" {
			name = "_netrc"
		}
		path = filepath.Join(home, name)
	}
	data, err := dist.ReadFile(path, maxNetrc)
	if err != nil {
		return
	}
	if user, password, ok := netrcLogin(string(data), req.URL.Hostname()); ok {
		req.SetBasicAuth(user, password)
	}
}

// netrcLogin finds the login of a host in the text of a netrc file. The first entry of
// the host counts, or else the entry "default".
func netrcLogin(text, host string) (user, password string, ok bool) {
	words := netrcWords(text)
	var found [2]struct {
		user, password string
		set            bool
	}
	entry := -1 // 0 the host's, 1 the default's, -1 of another host
	for i := 0; i < len(words); i++ {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch words[i] {
		case "machine":
			entry = -1
			if strings.EqualFold(next, host) && !found[0].set {
				entry, found[0].set = 0, true
			}
			i++
		case "default":
			entry = -1
			if !found[1].set {
				entry, found[1].set = 1, true
			}
		case "login":
			if entry >= 0 {
				found[entry].user = next
			}
			i++
		case "password":
			if entry >= 0 {
				found[entry].password = next
			}
			i++
		case "account":
			i++
		}
	}
	for _, f := range found {
		if f.set {
			return f.user, f.password, true
		}
	}
	return "", "", false
}

// netrcWords splits the text of a netrc file into words. A word may be quoted, a line
// may be a comment, and a macro ends at an empty line.
func netrcWords(text string) []string {
	var words []string
	macro := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if macro = macro && line != ""; macro || strings.HasPrefix(line, "#") {
			continue
		}
		for line != "" {
			word, rest := netrcWord(line)
			if macro = word == "macdef"; macro {
				break
			}
			words, line = append(words, word), strings.TrimSpace(rest)
		}
	}
	return words
}

// netrcWord cuts the first word off a line.
func netrcWord(line string) (word, rest string) {
	if line[0] != '"' {
		if i := strings.IndexAny(line, " \t"); i >= 0 {
			return line[:i], line[i:]
		}
		return line, ""
	}
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == '"':
			return b.String(), line[i+1:]
		case line[i] == '\\' && i+1 < len(line):
			i++
		}
		b.WriteByte(line[i])
	}
	return b.String(), ""
}
