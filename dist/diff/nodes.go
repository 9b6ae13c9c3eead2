package diff

import (
	"fmt"
	"maps"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/linkage"
	"x.go/manifests"
)

// Kinds of nodes that an archive and a tree both have.
const (
	kindFile = "file"
	kindDir  = "directory"
)

// node is one file, directory or link of a side.
type node struct {
	path   string
	kind   string // kindFile, kindDir, "link" or a description
	mode   int64
	size   int64
	digest manifests.Hash
	link   string
	disk   string // where its content can be read; may be empty
}

// side is one of two archives or trees.
type side struct {
	file       string
	nodes      map[string]*node // by path without hashes and releases
	members    []archive.Member // of an archive, in order
	unreadable string
}

// top is the name of an archive's top directory.
func (s *side) top() string {
	if len(s.members) == 0 {
		return ""
	}
	name, _, _ := strings.Cut(s.members[0].Name, "/")
	return name
}

// The parts of names that change with every build or release:
// librustc_driver-6108105cd7e839cf.so, libLLVM.so.22.1-rust-1.95.0-stable.
var (
	hashInName    = regexp.MustCompile(`-[0-9a-f]{16}\b`)
	releaseInName = regexp.MustCompile(`-rust-1\.\d+\.\d+-(stable|beta|nightly|dev)`)
	runtimeInName = regexp.MustCompile(`librustc-(stable|beta|nightly|dev)_rt`)
	llvmInName    = regexp.MustCompile(`libLLVM(\.so\.|-)\d+(\.\d+)?`)
)

// plainName is a name without those parts.
func plainName(p string) string {
	if !strings.Contains(p, "-") && !strings.Contains(p, "libLLVM") {
		return p // nearly all names: the patterns take their time with long ones
	}
	p = hashInName.ReplaceAllString(p, "-HASH")
	p = releaseInName.ReplaceAllString(p, "-rust-RELEASE")
	p = runtimeInName.ReplaceAllString(p, "librustc-CHANNEL_rt")
	return llvmInName.ReplaceAllString(p, "libLLVM${1}N")
}

// add indexes n by its plain name, or by its own if that is taken.
func (s *side) add(n *node) {
	key := plainName(n.path)
	if _, taken := s.nodes[key]; taken {
		key = n.path
	}
	s.nodes[key] = n
}

// nodes compares what two sides hold.
func (d *differ) nodes(in string, a, b *side) {
	keys := slices.Sorted(maps.Keys(a.nodes))
	for key := range b.nodes {
		if _, ok := a.nodes[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		x, y := a.nodes[key], b.nodes[key]
		switch {
		case y == nil:
			d.add(Difference{Kind: "only-in-a", In: in, Path: x.path})
		case x == nil:
			d.add(Difference{Kind: "only-in-b", In: in, Path: y.path})
		default:
			d.node(in, x, y)
		}
	}
}

// node compares one file.
func (d *differ) node(in string, x, y *node) {
	add := func(kind, a, b string) {
		if a != b {
			d.add(Difference{Kind: kind, In: in, Path: x.path, A: a, B: b})
		}
	}
	add("name", path.Base(x.path), path.Base(y.path))
	add("kind", x.kind, y.kind)
	add("mode", fmt.Sprintf("%04o", x.mode), fmt.Sprintf("%04o", y.mode))
	add("link", x.link, y.link)
	if x.kind != kindFile || y.kind != kindFile || x.digest == y.digest {
		return
	}
	d.otherBytes = true
	if d.overBudget(x.size, y.size) {
		add("size", fmt.Sprint(x.size), fmt.Sprint(y.size))
	} else if !d.opts.IgnoreContent {
		add("content", x.digest.String()[:12], y.digest.String()[:12]+d.firstSection(x, y))
	}
	d.elf(x, y, add)
}

// overBudget reports whether a change of size is worth a difference.
func (d *differ) overBudget(a, b int64) bool {
	if a == b {
		return false
	}
	return math.Abs(float64(b-a)) > float64(max(a, 1))*d.opts.Budget/100
}

// elf compares how two files were linked.
func (d *differ) elf(x, y *node, add func(kind, a, b string)) {
	if x.disk == "" || y.disk == "" {
		return
	}
	a, err := linkage.ReadFile(x.disk)
	if err != nil {
		return // no ELF file, or a malformed one: its content differs anyway
	}
	b, err := linkage.ReadFile(y.disk)
	if err != nil {
		return
	}
	add("soname", plainName(a.SOName), plainName(b.SOName))
	add("needed", plainNames(a.Needed), plainNames(b.Needed))
	add("runpath", strings.Join(slices.Concat(a.RPath, a.RunPath), ":"), strings.Join(slices.Concat(b.RPath, b.RunPath), ":"))
	add("glibc-floor", a.GlibcFloor, b.GlibcFloor)
	add("linker", a.Linker.String(), b.Linker.String())
}

func plainNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = plainName(n)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// firstSection says at which byte, and in which section, two ELF files first differ.
func (d *differ) firstSection(x, y *node) string {
	if x.disk == "" || y.disk == "" {
		return ""
	}
	a, err := dist.OpenFile(x.disk)
	if err != nil {
		return ""
	}
	defer a.Close()
	b, err := dist.OpenFile(y.disk)
	if err != nil {
		return ""
	}
	defer b.Close()
	at, err := firstDifference(a, b)
	if err != nil || at < 0 {
		return ""
	}
	name, err := linkage.SectionAt(a, at)
	if err != nil {
		return fmt.Sprintf(", first at byte %d", at)
	}
	return fmt.Sprintf(", first in %s at byte %d", name, at)
}
