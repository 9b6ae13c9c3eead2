package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/dist/store"
	"x.go/manifests"
)

// Result is what a run has done.
type Result struct {
	// Put, Copied and Replaced are numbers of names; Sent is the bytes that were put.
	Put      int   `json:"put"`
	Copied   int   `json:"copied"`
	Replaced int   `json:"replaced"`
	Repaired int   `json:"repaired"`
	Sent     int64 `json:"sent"`
	// ReadBack is the number of files that were read and digested.
	ReadBack int `json:"read_back"`
}

// runner is a plan that runs.
type runner struct {
	*Plan
	mu     sync.Mutex
	result Result
}

// Run does the steps in their order. What the store has is not sent again, but is read
// back. The error is a [*ConflictError] if a dated name has other content, and
// [store.ErrChanged] if another publisher changes the channel at the same time.
func (p *Plan) Run(ctx context.Context) (Result, error) {
	r := &runner{Plan: p}
	err := r.phases(ctx)
	if err != nil {
		err = fmt.Errorf("publishing %q: %w", p.options.Dir, err)
	}
	return r.result, err
}

func (r *runner) phases(ctx context.Context) error {
	for _, phase := range []struct {
		name Phase
		jobs int
		do   func(context.Context, *Step) error
	}{
		{Sums, 1, r.putSmall}, // one after the other: of two publishers one comes first
		{Archives, r.options.Jobs, r.putFile},
		{ReadBack, r.options.Jobs, r.readBack},
		{Dated, 1, r.putSmall},
		{Undated, r.options.Jobs, r.copyOne},
		{Redirects, 1, r.redirect},
		{Channel, 1, r.replace},
		{Listing, 1, r.append},
	} {
		if err := r.phase(ctx, phase.name, phase.jobs, phase.do); err != nil {
			return err
		}
	}
	return nil
}

// phase does the steps of a phase, several at once. Checksums of copies come after all
// copies.
func (r *runner) phase(ctx context.Context, name Phase, jobs int, do func(context.Context, *Step) error) error {
	var first, second []*Step
	for i := range r.Steps {
		s := &r.Steps[i]
		switch {
		case s.Phase != name:
		case name == Undated && strings.HasSuffix(s.Name, manifests.ChecksumExt):
			second = append(second, s)
		default:
			first = append(first, s)
		}
	}
	for _, steps := range [][]*Step{first, second} {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(jobs)
		for _, s := range steps {
			g.Go(func() error {
				if err := context.Cause(ctx); err != nil {
					return err
				}
				r.event(Event{Phase: name, Name: s.Name, Size: s.Size})
				err := do(ctx, s)
				r.event(Event{Phase: name, Name: s.Name, Size: s.Size, Done: true})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Progress(e)
}

// count changes the result.
func (r *runner) count(change func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.result)
}

func (r *runner) counted(s *Step) {
	r.count(func(n *Result) { n.Put++; n.Sent += s.Size })
}

// putSmall puts a small file, and compares it with one that is there.
func (r *runner) putSmall(ctx context.Context, s *Step) error {
	err := r.store.Put(ctx, s.Name, s.body, store.Options{IfAbsent: true})
	if !errors.Is(err, store.ErrExists) {
		if err == nil {
			r.counted(s)
		}
		return err
	}
	data, _, err := r.store.Load(ctx, s.Name, manifests.MaxChannel)
	if err != nil {
		return err
	}
	got, want := manifests.HashOf(data), s.SHA256
	if s.Phase == Sums { // what counts is the digest in it
		mine, err := content(s.body)
		if err != nil {
			return err
		}
		a, _, aerr := manifests.ParseChecksum(data)
		b, _, berr := manifests.ParseChecksum(mine)
		if aerr == nil && berr == nil {
			got, want = a, b
		}
	}
	if got != want {
		return &ConflictError{s.Name, got, want}
	}
	return nil
}

// content returns that of a small file.
func content(b store.Body) ([]byte, error) {
	f, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// putFile puts a file. What is there is judged when it is read back.
func (r *runner) putFile(ctx context.Context, s *Step) error {
	body := s.body
	body.Open = r.reporting(s, body.Open)
	err := r.store.Put(ctx, s.Name, body, store.Options{IfAbsent: true})
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	if err == nil {
		r.counted(s)
	}
	return err
}

// reporting returns open with a reader that reports its bytes.
func (r *runner) reporting(s *Step, open func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		f, err := open()
		if err != nil {
			return nil, err
		}
		return &reporter{f, func(n int) { r.event(Event{Phase: s.Phase, Name: s.Name, Bytes: int64(n), Size: s.Size}) }}, nil
	}
}

type reporter struct {
	io.ReadCloser
	tell func(int)
}

// Read implements [io.Reader].
func (r *reporter) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.tell(n)
	return n, err
}

// readBack digests a file of the store.
func (r *runner) readBack(ctx context.Context, s *Step) error {
	got, err := r.store.Hash(ctx, s.Name)
	if errors.Is(err, fs.ErrNotExist) && s.body.Open == nil {
		return fmt.Errorf("%q is neither in the directory nor in the store", s.Name)
	}
	if err != nil {
		return err
	}
	r.count(func(n *Result) { n.ReadBack++ })
	if got == s.SHA256 {
		return nil
	}
	if !r.damaged(ctx, s) {
		return &ConflictError{s.Name, got, s.SHA256}
	}
	if !r.options.Repair || s.body.Open == nil {
		return &DamagedError{s.Name, got, s.SHA256}
	}
	if err := r.store.Put(ctx, s.Name, s.body, store.Options{}); err != nil {
		return err
	}
	if got, err = r.store.Hash(ctx, s.Name); err == nil && got != s.SHA256 {
		err = &DamagedError{s.Name, got, s.SHA256}
	}
	r.count(func(n *Result) { n.Repaired++; n.Sent += s.Size })
	return err
}

// damaged reports whether the store itself says that a file should have the digest that
// is wanted.
func (r *runner) damaged(ctx context.Context, s *Step) bool {
	if a, err := r.store.Stat(ctx, s.Name); err == nil && a.Hash == s.SHA256 {
		return true
	}
	data, _, err := r.store.Load(ctx, s.Name+manifests.ChecksumExt, maxSmall)
	if err != nil {
		return false
	}
	noted, _, err := manifests.ParseChecksum(data)
	return err == nil && noted == s.SHA256
}

// copyOne copies a file to its name without day.
func (r *runner) copyOne(ctx context.Context, s *Step) error {
	if s.Present {
		return nil
	}
	err := r.store.Copy(ctx, s.Name, s.From)
	if err == nil {
		r.count(func(n *Result) { n.Copied++ })
	}
	return err
}

// replace gives a file of the channel its new content. Another publisher who does the
// same at this moment gets an error, or this one does.
func (r *runner) replace(ctx context.Context, s *Step) error {
	data, err := content(s.body)
	if err != nil {
		return err
	}
	before := r.before(s.Name)
	done, err := swap(ctx, r.store, s.Name, data, func(now []byte, v store.Version) error {
		if before != nil && v != before.version { // of what the plan compared with
			return store.ErrChanged
		}
		return r.stillOurs(ctx, s)
	})
	if errors.Is(err, store.ErrChanged) {
		return fmt.Errorf("another publisher won: %w: look at what is offered, and publish again", err)
	}
	if done {
		r.count(func(n *Result) { n.Replaced++; n.Sent += s.Size })
	}
	return err
}

// before returns what the plan found at the name of a manifest; nil for other files.
func (r *runner) before(name string) *offer {
	for _, n := range r.Names {
		if channelFile(n) == name {
			o := r.offered[n]
			return &o
		}
	}
	return nil
}

// stillOurs returns an error if the manifest that a checksum is of is another
// publisher's.
func (r *runner) stillOurs(ctx context.Context, s *Step) error {
	name, ok := strings.CutSuffix(s.Name, manifests.ChecksumExt)
	i := slices.IndexFunc(r.Steps, func(t Step) bool { return t.Phase == Channel && t.Name == name })
	if !ok || i < 0 {
		return nil
	}
	text, _, err := r.store.Load(ctx, name, manifests.MaxChannel)
	if err == nil && manifests.HashOf(text) != r.Steps[i].SHA256 {
		err = store.ErrChanged
	}
	return err
}

// maxSwaps is how often a file is loaded again that others change, too.
const maxSwaps = 50

// swap gives a small file new content, unless it has it. check may refuse what is there.
func swap(ctx context.Context, s *store.Store, name string, data []byte, check func(now []byte, v store.Version) error) (done bool, err error) {
	for range maxSwaps {
		now, v, err := s.Load(ctx, name, manifests.MaxChannel)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if err == nil && string(now) == string(data) {
			return false, nil
		}
		if err := check(now, v); err != nil {
			return false, fmt.Errorf("replacing %q: %w", name, err)
		}
		if err = s.Swap(ctx, name, v, data); !errors.Is(err, store.ErrChanged) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("replacing %q: %w, over and over", name, store.ErrChanged)
}
