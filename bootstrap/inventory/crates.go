package inventory

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"

	"x.go/targets"
)

// crateFile matches the files of crates: the name, and what tells builds of it apart.
var crateFile = regexp.MustCompile(`^lib(.+?)(?:-([0-9a-f]{8,32}))?\.(rmeta|rlib)$`)

// crate is a crate of a standard library.
type crate struct {
	name, id    string
	rmeta, rlib string // files; "" if there is none
}

// metadata is the file that the compiler reads. Since 1.95 rlibs have a stub only, and the
// metadata is beside them.
func (c crate) metadata() string {
	if c.rmeta != "" {
		return c.rmeta
	}
	return c.rlib
}

// crates are those of one target.
type crates struct {
	set *set
	all []*crate
}

func (b *builder) cratesOf(t targets.Triple) *crates {
	out := &crates{set: b.set}
	dir := "lib/rustlib/" + t.String() + "/lib/"
	byStem := map[string]*crate{}
	for _, name := range b.below(dir) {
		m := crateFile.FindStringSubmatch(path.Base(name))
		if m == nil || path.Dir(name)+"/" != dir {
			continue
		}
		stem := m[1] + "-" + m[2]
		c := byStem[stem]
		if c == nil {
			c = &crate{name: m[1], id: m[2]}
			byStem[stem] = c
			out.all = append(out.all, c)
		}
		if m[3] == "rmeta" {
			c.rmeta = name
		} else {
			c.rlib = name
		}
	}
	return out
}

func (c *crates) has(name string) bool {
	return slices.ContainsFunc(c.all, func(k *crate) bool { return k.name == name })
}

// closure returns the crates of these names and all that they depend on. The metadata of
// a crate names a dependency by what tells builds of it apart, the -Cextra-filename of
// its file. Crates without that belong to every closure.
func (c *crates) closure(names []string) ([]*crate, error) {
	var queue []*crate
	for _, k := range c.all {
		if slices.Contains(names, k.name) {
			queue = append(queue, k)
		}
	}
	if len(queue) > 0 {
		for _, k := range c.all {
			if k.id == "" && !slices.Contains(queue, k) {
				queue = append(queue, k)
			}
		}
	}
	for i := 0; i < len(queue); i++ {
		ids, err := c.set.ids(queue[i].metadata())
		if err != nil {
			return nil, err
		}
		for _, k := range c.all {
			if ids[k.id] && !slices.Contains(queue, k) {
				queue = append(queue, k)
			}
		}
	}
	return queue, nil
}

// ids returns what a file has of the form of a -Cextra-filename.
func (s *set) ids(name string) (map[string]bool, error) {
	f := s.files[name]
	if f.ids != nil {
		return f.ids, nil
	}
	in, err := f.open()
	if err != nil {
		return nil, fmt.Errorf("reading the metadata of %q: %w", name, err)
	}
	defer in.Close()
	scan := &idScanner{ids: map[string]bool{}}
	if _, err := io.Copy(scan, in); err != nil {
		return nil, fmt.Errorf("reading the metadata of %q: %w", name, err)
	}
	f.ids = scan.ids
	return f.ids, nil
}

const (
	minID, maxID = 8, 32   // digits
	maxIDs       = 1 << 14 // of a file; libcore of 1.95 has 2
)

// idScanner collects what looks like a -Cextra-filename: a dash and hexadecimal digits.
type idScanner struct {
	ids  map[string]bool
	rest []byte // the end of what was written, which may go on
}

// Write implements [io.Writer].
func (s *idScanner) Write(p []byte) (int, error) {
	data := append(s.rest, p...)
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], '-')
		if i < 0 {
			s.rest = s.rest[:0]
			return len(p), nil
		}
		at += i + 1
		n := 0
		for n <= maxID && at+n < len(data) && isHex(data[at+n]) {
			n++
		}
		if n <= maxID && at+n == len(data) {
			s.rest = append([]byte(nil), data[at-1:]...)
			s.take(data[at:])
			return len(p), nil
		}
		s.take(data[at : at+n])
	}
}

func (s *idScanner) take(id []byte) {
	if len(id) >= minID && len(id) <= maxID && len(s.ids) < maxIDs {
		s.ids[string(id)] = true
	}
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
