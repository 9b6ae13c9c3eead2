package verify

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"x.go/dist/archive"
	"x.go/dist/sandbox"
	"x.go/dist/sign"
	"x.go/targets/nearest"
)

// Expect says which linker a default link must have used.
type Expect string

// The expectations.
const (
	// Auto expects LLD if the archives ship it as the compiler's default, and the
	// system linker otherwise.
	Auto Expect = "auto"
	// ExpectLLD requires LLD for a default link.
	ExpectLLD Expect = "lld"
	// ExpectSystem requires that no link uses LLD, as with rust.lld = false.
	ExpectSystem Expect = "system"
)

// ParseExpect reads lld, system or auto.
func ParseExpect(s string) (Expect, error) {
	e := Expect(s)
	if words := []string{string(ExpectLLD), string(ExpectSystem), string(Auto)}; !slices.Contains(words, s) {
		return "", fmt.Errorf("parsing expectation: got %q, want lld, system or auto%s", s, nearest.Hint(s, words))
	}
	return e, nil
}

// Group is a set of checks that can be chosen together.
type Group string

// The groups, in the order in which they run.
const (
	Static  Group = "static"
	Sysroot Group = "sysroot"
	Link    Group = "link"
	Channel Group = "channel"
	Client  Group = "client"
	// Installed checks are those of [Installation]; [Run] has none of them.
	Installed Group = "installed"
	// Store checks are those of a mirror, which [Run] does not know.
	Store Group = "store"
)

// Groups returns all groups in the order in which they run.
func Groups() []Group { return []Group{Static, Sysroot, Link, Channel, Client, Installed, Store} }

// ParseGroups reads a comma-separated list of groups.
func ParseGroups(s string) ([]Group, error) {
	var out []Group
	for word := range strings.SplitSeq(s, ",") {
		g := Group(strings.TrimSpace(word))
		if !slices.Contains(Groups(), g) {
			var words []string
			for _, g := range Groups() {
				words = append(words, string(g))
			}
			return nil, fmt.Errorf("parsing checks: got %q, want some of %s%s", word, strings.Join(words, ","), nearest.Hint(word, words))
		}
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out, nil
}

// Options say what to verify and with what. Only Inputs is required.
type Options struct {
	// Inputs are directories, archives, channel manifests or URLs of manifests.
	Inputs []string
	// Expect is the linker that a default link must use; empty means [Auto].
	Expect Expect
	// Groups are the groups to run; empty means all that apply to the input.
	Groups []Group
	// Legs are the link legs to run, by the middle part of their checks' names;
	// empty means all.
	Legs []string
	// Compilers returns the paths of this machine's own compilers, outside of any proxy. One
	// of the same build links with the standard library of a compiler for another machine. It
	// is called where one is needed; nil means that there are none.
	Compilers func(ctx context.Context) []string
	// SystemRoot is the root of a system of another machine, whose libraries QEMU gives to
	// programs for that machine; empty means that there is none but those of cross compilers.
	SystemRoot string
	// SearchPath is the list of directories, as in PATH, in which the C compiler
	// and the linkers that it calls are found; empty means /usr/local/bin:/usr/bin:/bin.
	SearchPath string
	// Rustup is the path of the real client; empty means that there is none.
	Rustup string
	// AskElsewhere has other servers asked whether they have the files that the redirects
	// of an overlay leave to them. Without it these files are skipped.
	AskElsewhere bool
	// Public are the texts of manifests, and of small files beside them, that will be
	// public in place of those on disk, by their names without directory.
	Public map[string][]byte
	// Offered are the files that users of the channel have now, before the one on disk is
	// published, by their paths on the server. client/update installs that first; nil
	// means that there is nothing.
	Offered func(ctx context.Context) fs.FS
	// TempDir is where trees are unpacked and removed again; empty means
	// [os.TempDir].
	TempDir string
	// BuildRoots are the directories of the build, whose paths no shipped file may
	// hold; empty means that no such paths are looked for.
	BuildRoots []string
	// Jobs is the number of archives read, or of legs linked, at once; 0 means
	// GOMAXPROCS.
	Jobs int
	// Limits bound what an archive may cost.
	Limits archive.Limits
	// AllowSkip are globs of checks' names, such as link/cross/*; ** matches any number
	// of parts. A skip of such a check is accepted: it does not keep the report from
	// passing.
	AllowSkip []string
	// Sandbox says whether the archives' programs run in a sandbox; empty means
	// [sandbox.Auto].
	Sandbox sandbox.Mode
	// limits of the sandbox; the zero value means its defaults.
	limits sandbox.Limits
	// Keyrings, if there are any, must each hold the key of the signatures of channel
	// manifests, and of the files beside them that say what is in the channel. No two may
	// check signatures of one extension.
	Keyrings []*sign.Keyring
	// Program is the name and version of the program that verifies, for the report.
	Program string
	// Now is the time that the report bears; zero means that of the run.
	Now time.Time
	// Progress, if set, is called at each step, from several goroutines but one
	// at a time.
	Progress func(Event)
}

// Event is one step of a run, for a progress display.
type Event struct {
	Group   Group
	Subject string // the archive, leg or tree
	Bytes   int64  // compressed bytes read since the last event of the subject
	Size    int64  // compressed bytes of the subject; 0 if that is no measure
	Done    bool
}

// defaultSearchPath is where tools are found unless [Options] says otherwise.
const defaultSearchPath = "/usr/local/bin:/usr/bin:/bin"

// check returns an error for an unknown name: it would silently leave out what the
// caller wants to check.
func (o Options) check() error {
	if o.Expect != "" {
		if _, err := ParseExpect(string(o.Expect)); err != nil {
			return err
		}
	}
	for _, g := range o.Groups {
		if _, err := ParseGroups(string(g)); err != nil {
			return err
		}
	}
	for _, l := range o.Legs {
		if !slices.Contains(LegNames(), l) {
			return fmt.Errorf("choosing link legs: got %q, want some of %q", l, LegNames())
		}
	}
	if o.Sandbox != "" && !slices.Contains(sandbox.Modes(), o.Sandbox) {
		return fmt.Errorf("choosing a sandbox: got %q, want one of %q", o.Sandbox, sandbox.Modes())
	}
	for _, ring := range o.Keyrings {
		if o.keyring(ring.Ext()) != ring {
			return fmt.Errorf("choosing keyrings: got two for *%s, want one", ring.Ext())
		}
	}
	for _, glob := range o.AllowSkip {
		if _, err := Match(glob); err != nil {
			return fmt.Errorf("allowing skips: %w", err)
		}
	}
	return nil
}

// withDefaults fills in what was left empty.
func (o Options) withDefaults() Options {
	if o.Expect == "" {
		o.Expect = Auto
	}
	if len(o.Groups) == 0 {
		o.Groups = Groups()
	}
	if o.SearchPath == "" {
		o.SearchPath = defaultSearchPath
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	return o
}

// keyring returns the keyring for signatures of an extension; nil if there is none.
func (o Options) keyring(ext string) *sign.Keyring {
	for _, ring := range o.Keyrings {
		if ring.Ext() == ext {
			return ring
		}
	}
	return nil
}

func (o Options) has(g Group) bool { return slices.Contains(o.Groups, g) }
