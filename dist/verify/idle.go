package verify

import "strings"

// needs says what a group works on, and which check stands for it. Static is not
// among them: it also judges the inputs themselves.
var needs = map[Group]struct{ check, prefix, what string }{
	Sysroot: {treeUnpack, "sysroot/", "no archive of a compiler and no installed tree"},
	Link:    {treeUnpack, "link/", "no archive of a compiler and no installed tree"},
	Channel: {channelReadable, "channel/", "no channel manifest"},
	Client:  {clientInstall, "client/", "no channel manifest"},
}

// idle skips the groups that were asked for by name and had nothing to check: that
// is no pass.
func (r *run) idle() {
	for _, g := range r.asked {
		n, ok := needs[g]
		if !ok || r.has(n.prefix) || r.in.subject.failed(inputReadable) {
			continue
		}
		s := newSubject(string(g))
		s.skipf(n.check, "%s is among the inputs", n.what)
		r.add(s)
	}
}

// has reports whether the report has a check whose name begins with prefix, or
// says that a tree could not be linked with.
func (r *run) has(prefix string) bool {
	for _, c := range r.report.Checks {
		if strings.HasPrefix(c.Name, prefix) || prefix == "link/" && strings.HasPrefix(c.Name, "sysroot/") {
			return true
		}
	}
	return false
}
