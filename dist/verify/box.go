package verify

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"x.go/dist/sandbox"
)

// box contains the programs of one tree. A nil box contains nothing.
type box struct {
	policy sandbox.Policy
	*breaches
}

// breaches are shared by the boxes of one tree.
type breaches struct {
	mu     sync.Mutex
	broken []string // how programs broke their bounds, since the last report
	known  bool     // that they did, before it
}

// errBroken is the error of a program that broke its bounds.
var errBroken = errors.New("it broke the bounds of its sandbox")

// newBox returns the box for the programs of a tree, which write to a home and to the
// directories that [command.dir] names; nil if there is to be none.
func (r *run) newBox(prefix string, write ...string) *box {
	if r.opts.Sandbox == sandbox.Off {
		return nil
	}
	if !sandbox.Probe(context.Background()).Any() {
		return nil
	}
	read := append(sandbox.ReadBeside(r.opts.SearchPath), prefix)
	return &box{sandbox.Policy{Read: read, Write: write, Limits: r.opts.limits}, &breaches{}}
}

// reading returns a box that may read more directories.
func (b *box) reading(dirs ...string) *box {
	if b == nil {
		return nil
	}
	more := box{b.policy, b.breaches}
	more.policy.Read = slices.Concat(b.policy.Read, slices.DeleteFunc(dirs, func(d string) bool { return d == "" }))
	return &more
}

// hiding returns a box that hides one file more, if it is an LLD or mold; nil if it
// cannot.
func (b *box) hiding(path string) *box {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || b == nil || !sandbox.Probe(context.Background()).Namespaces || !rivals.MatchString(filepath.Base(real)) || slices.Contains(b.policy.Hide, real) {
		return nil
	}
	more := box{b.policy, b.breaches}
	more.policy.Hide = append(slices.Clone(b.policy.Hide), real)
	return &more
}

// run runs cmd to its end.
func (b *box) run(ctx context.Context, cmd *exec.Cmd) error {
	if b == nil {
		return cmd.Run()
	}
	if b.hostile() {
		return errBroken // each run more could take as long as it did until its limits
	}
	p := b.policy
	p.Write = append([]string{cmd.Dir}, p.Write...)
	broken, err := p.Run(ctx, cmd)
	if len(broken) == 0 {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range broken {
		if text := fmt.Sprintf("%s: %s", cmd.Path, what); len(b.broken) < maxFindings {
			b.broken = append(b.broken, text)
		}
	}
	return fmt.Errorf("%w: %s", errBroken, strings.Join(broken, "; "))
}

// hostile reports whether a program has broken its bounds already.
func (b *box) hostile() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known || len(b.broken) > 0
}

// report tells how programs broke their bounds since the last report.
func (b *box) report(s *subject) {
	if b == nil {
		return
	}
	s.declare(treeContained)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.broken {
		s.failf(treeContained, "%s", what)
	}
	b.known, b.broken = b.known || len(b.broken) > 0, nil
}

// describeSandbox says how the archives' programs are contained, for the report.
func (r *run) describeSandbox() string {
	if r.opts.Sandbox == sandbox.Off {
		return "without a sandbox, as was asked for"
	}
	return sandbox.Probe(context.Background()).String()
}
