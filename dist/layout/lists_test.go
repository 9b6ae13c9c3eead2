package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/tests/testenv"
)

// odd are names that mean something to one of the tools that read lists.
var odd = []string{
	"bin/x",
	"share/a b", "share/$c", "share/*?", "share/[d]", "share/{e,f}", "share/%g", "share/%%H%%", `share/"i"`, "share/#j", "share/@k", "share/é", "share/~", "share/'l'", "share/!m", "share/n;o|p&q",
	"share/man/man1/x.1", "share/man/de/man7/y z.7",
	"share/man/man1.tex", "share/manual/x", // no manual pages
}

// listed returns the lists of a layout.
func listed(t *testing.T, text string, names ...string) (map[string]string, error) {
	t.Helper()
	l, err := Parse("test.toml", []byte(text))
	testenv.Must(t, err)
	s, err := l.Apply(t.Context(), factsOf(t, host), []dist.Component{component(t, "c", names...)})
	lists := map[string]string{}
	for _, list := range s.Lists {
		lists[list.Name] = string(list.Data)
	}
	return lists, err
}

// TestLists compares the lists of all formats. Tools judge them in tests/packages.
func TestLists(t *testing.T) {
	const all = "[[package]]\nname = \"p\"\nfiles = [\"/**\"]\n"
	const elsewhere = "[[move]]\nfrom = \"bin/x\"\nto = \"/etc/x\"\n"
	for _, tt := range []struct {
		name, layout string
		want         map[string]string
	}{
		{
			"plist", "prefix = \"/usr/local\"\n[list]\nformat = \"plist\"\nman-suffix = \".gz\"\n" + elsewhere + all,
			map[string]string{"pkg-plist": `@comment Written by x install --layout test
/etc/x
share/!m
share/"i"
share/#j
share/$c
share/%%H%%
share/%g
share/'l'
share/*?
share/@k
share/[d]
share/a b
share/man/de/man7/y z.7.gz
share/man/man1.tex
share/man/man1/x.1.gz
share/manual/x
share/n;o|p&q
share/{e,f}
share/~
share/é
`},
		},
		{
			"several packages of a port", "prefix = \"/\"\n[list]\nformat = \"plist\"\n[[drop]]\nfiles = [\"share/**\"]\n" + elsewhere +
				"[[link]]\npath = \"/bin/y\"\nto = \"/etc/x\"\n[[package]]\nname = \"q\"\nfiles = [\"/bin/*\"]\n" + all,
			map[string]string{
				"pkg-plist.q": "@comment Written by x install --layout test\nbin/y\n",
				"pkg-plist.p": "@comment Written by x install --layout test\netc/x\n",
			},
		},
		{
			"debhelper", "prefix = \"/usr\"\n[list]\nformat = \"debhelper\"\nman-suffix = \"\"\n" + all,
			map[string]string{"p.install": `# Written by x install --layout test
usr/bin/x
usr/share/!m
usr/share/"i"
usr/share/#j
usr/share/${Dollar}c
usr/share/%%H%%
usr/share/%g
usr/share/'l'
usr/share/\*\?
usr/share/@k
usr/share/\[d\]
usr/share/a${Space}b
usr/share/man/de/man7/y${Space}z.7
usr/share/man/man1.tex
usr/share/man/man1/x.1
usr/share/manual/x
usr/share/n;o|p&q
usr/share/\{e,f\}
usr/share/~
usr/share/é
`},
		},
		{
			"rpm", "prefix = \"/usr\"\n[list]\nformat = \"rpm\"\nman-suffix = \"*\"\nowned = [\"/usr/share/man/de\"]\n" + all,
			map[string]string{"p.files": `# Written by x install --layout test
/usr/bin/x
/usr/share/!m
/usr/share/?i?
/usr/share/#j
/usr/share/$c
/usr/share/??H??
/usr/share/?g
/usr/share/'l'
/usr/share/??
/usr/share/@k
/usr/share/?d?
/usr/share/a?b
%dir /usr/share/man/de
%dir /usr/share/man/de/man7
/usr/share/man/de/man7/y?z.7*
/usr/share/man/man1.tex
/usr/share/man/man1/x.1*
/usr/share/manual/x
/usr/share/n;o|p&q
/usr/share/?e,f?
/usr/share/~
/usr/share/é
`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := listed(t, tt.layout, odd...)
			testenv.Must(t, err)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for name, text := range got {
				if !IsOurs([]byte(text)) {
					t.Errorf("%s: IsOurs = false", name)
				}
			}
		})
	}
}

// TestListErrors has names that a list cannot hold.
func TestListErrors(t *testing.T) {
	const plist = "prefix = \"/usr\"\n[list]\nformat = \"plist\"\n[[package]]\nname = \"p\"\nfiles = [\"/**\"]\n"
	for _, name := range []string{"@dir", " leading", "trailing "} {
		if _, err := listed(t, plist, name); err == nil || !strings.Contains(err.Error(), "plist") {
			t.Errorf("%q: got error %v", name, err)
		}
	}
}
