package layout

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/dist"
)

// listFormat is the syntax of the lists of files.
type listFormat int

// The formats. The zero listFormat is none of them.
const (
	// debhelper is NAME.install for dh_install: https://manpages.debian.org/dh_install.
	debhelper listFormat = iota + 1
	// rpm is NAME.files for "%files -f NAME.files".
	rpm
	// plist is pkg-plist of FreeBSD's ports, pkg-plist.NAME if there are several
	// packages. Names are below the prefix. A port lists each file.
	plist
	// paths is NAME.list, one absolute path a line.
	paths
)

var formats = map[string]listFormat{"debhelper": debhelper, "rpm": rpm, "plist": plist, "paths": paths}

// line is one line of a list: a file, a whole directory, or a directory alone.
type line struct {
	place string
	whole bool   // a directory with everything in it
	dir   bool   // a directory without what is in it
	mark  string // of rpm: "%doc" or "%license"
}

// lines lists what a package has; whole are the directories that are listed as such.
func (a *arrangement) lines(p planPackage, places, whole []string) []line {
	var out []line
	dirs := map[string]bool{}
	marks := map[string]string{} // by whole directory, "-" for several
	for _, place := range places {
		mark := ""
		if p.licenses.match(place) {
			mark = "%license"
		} else if p.docs.match(place) {
			mark = "%doc"
		}
		for dir := range dist.Parents(place[1:]) {
			if a.owns("/" + dir) {
				dirs["/"+dir] = true
			}
		}
		i := slices.IndexFunc(whole, func(dir string) bool { return strings.HasPrefix(place, dir+"/") })
		if i < 0 {
			out = append(out, line{place: place, mark: mark})
		} else if _, seen := marks[whole[i]]; !seen {
			marks[whole[i]] = mark
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(marks)) {
		out = append(out, line{place: dir, whole: true, mark: marks[dir]})
	}
	for dir := range dirs {
		inside := slices.ContainsFunc(slices.Collect(maps.Keys(marks)), func(w string) bool { return dir == w || strings.HasPrefix(dir, w+"/") })
		if !inside {
			out = append(out, line{place: dir, dir: true})
		}
	}
	slices.SortFunc(out, func(x, y line) int { return strings.Compare(x.place, y.place) })
	return out
}

// owns reports whether a directory belongs to the packages, and not to the
// distribution's package of the file system.
func (p plan) owns(dir string) bool {
	return slices.ContainsFunc(p.owned, func(o string) bool { return dir == o || strings.HasPrefix(dir, o+"/") })
}

// list writes the list of one package.
func (f listFormat) list(l Layout, p plan, pkg string, lines []line) (List, error) {
	var b bytes.Buffer
	comment := "# "
	if f == plist {
		comment = "@comment "
	}
	fmt.Fprintf(&b, "%s%s %s\n", comment, mark, l.Name)
	for _, k := range lines {
		text, err := f.line(l, p, k)
		if err != nil {
			return List{}, err
		}
		if text != "" {
			b.WriteString(text + "\n")
		}
	}
	return List{f.fileName(p, pkg), b.Bytes()}, nil
}

// mark is in the first line of a list, so that no list is replaced that somebody wrote.
const mark = "Written by x install --layout"

// IsOurs reports whether a file is a list that the program wrote.
func IsOurs(data []byte) bool {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.Contains(first, []byte(mark))
}

func (f listFormat) fileName(p plan, pkg string) string {
	switch f {
	case debhelper:
		return pkg + ".install"
	case rpm:
		return pkg + ".files"
	case plist:
		if len(p.packages) == 1 {
			return "pkg-plist"
		}
		return "pkg-plist." + pkg
	}
	return pkg + ".list"
}

// line writes one line, "" for none.
func (f listFormat) line(l Layout, p plan, k line) (string, error) {
	if k.dir && f != rpm {
		return "", nil // the tools remove an empty directory themselves
	}
	manual := ""
	if !k.whole && !k.dir && isManual(k.place) {
		manual = l.manSuffix
	}
	switch f {
	case debhelper:
		return debhelperName(k.place[1:]) + manual, nil
	case rpm:
		mark := k.mark
		if k.dir {
			mark = "%dir"
		}
		return strings.TrimPrefix(mark+" "+rpmName(k.place)+manual, " "), nil
	case plist:
		name := strings.TrimPrefix(k.place, strings.TrimSuffix(p.prefix, "/")+"/")
		if strings.HasPrefix(name, "@") {
			return "", fmt.Errorf("file %q: a line that begins with @ is a command of a plist", k.place)
		}
		name += manual
		if strings.TrimSpace(name) != name {
			return "", fmt.Errorf("file %q: a plist has no space at the ends of a line", k.place)
		}
		return name, nil
	}
	return k.place + manual, nil
}

// isManual reports whether a place is that of a manual page, which the tools compress.
func isManual(place string) bool {
	section, _, ok := strings.Cut(path.Base(path.Dir(place)), ".")
	return !ok && len(section) > len("man") && strings.HasPrefix(section, "man") && strings.Contains(place, "/man/")
}

// debhelperName writes a name for a configuration file of debhelper: words with
// substitutions (debhelper(7)), then patterns of a shell.
func debhelperName(name string) string {
	return debhelperSpecial.Replace(name)
}

var debhelperSpecial = strings.NewReplacer(" ", "${Space}", "\t", "${Tab}", "$", "${Dollar}",
	"*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`, `\`, `\\`)

// rpmName writes a name for %files. rpm up to 4.18 knows no escapes in patterns, so a
// character that would mean something stands as ?, which matches it. So does %: how
// often a list's macros are expanded, each time taking one % of two, is nowhere said.
func rpmName(name string) string { return rpmSpecial.Replace(name) }

var rpmSpecial = strings.NewReplacer("%", "?", " ", "?", "\t", "?", "*", "?", "[", "?", "]", "?", "{", "?", "}", "?", `\`, "?", `"`, "?")
