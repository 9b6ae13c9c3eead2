package mirror

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"x.go/dist/channel"
	"x.go/dist/sign"
	"x.go/dist/store"
	"x.go/targets"
)

// Options say what [Run] mirrors.
type Options struct {
	// Source is the URL of a server, the place of a store, or a directory as `x dist`
	// leaves it: what is above dist.
	Source string
	// Rebase is an address that the manifests of the source have in their URLs in place
	// of https://static.rust-lang.org: that of the source itself, if it is a mirror that
	// rewrites them. That of a server need not be said.
	Rebase string
	// Channels are the names by which rustup asks: stable, beta, nightly, 1.95.0, 1.95,
	// nightly-2026-04-16.
	Channels []string
	// Nightlies is how many of the newest nightlies to have that have what is selected
	// on each host. The newest of them becomes the channel nightly.
	Nightlies int
	// Since and Until are the first and the last day of nightlies; "" for no limit.
	Since, Until string
	// Select says what of each channel is mirrored.
	Select Selection
	// Undated also puts each file directly into dist, where people look for it.
	Undated bool
	// Rustup also mirrors rustup itself, and RustupVersions its older versions.
	Rustup         bool
	RustupVersions []string
	// Delete removes from the mirrored days, and from rustup's tree, what the selection
	// does not have.
	Delete bool
	// Check reads all that is there already, and transfers what is damaged.
	Check bool
	// Jobs is how many files are transferred at a time; 0 for 8.
	Jobs int
	// Redirects are servers, HOST or HOST:PORT, that the source may send on to.
	Redirects []string
	// Keyring, if not nil, must hold the key of a signature beside each manifest of the
	// source. All are checked before anything is transferred.
	Keyring *sign.Keyring
	// Patience is how long a server may be silent; 0 is a minute.
	Patience time.Duration
	// Cache is where large files are completed, so that what a killed run has is not
	// fetched twice; nil for nowhere. Only one run at a time may use it.
	Cache *os.Root
	// DryRun plans and transfers nothing.
	DryRun bool
	// Progress, if not nil, is called for each file, from several goroutines.
	Progress func(Event)
}

// Event is the progress of one file.
type Event struct {
	// Name is the file's name in the store.
	Name string
	// Done and Total are bytes; Total is -1 if nobody knows.
	Done, Total int64
	// End says that nothing more comes of the file.
	End bool
}

// Result is what a run has done, or in a dry run would do.
type Result struct {
	// Source and Store are the places, without passwords.
	Source string `json:"source"`
	Store  string `json:"store"`
	// Channels are in the order of the work.
	Channels []Channel `json:"channels"`
	// Rustup is the version of rustup that was mirrored, "" if none.
	Rustup string `json:"rustup,omitempty"`
	// Files are the files that were transferred, sorted by name.
	Files []File `json:"files"`
	// Deleted are the names of files that the selection no longer has.
	Deleted []string `json:"deleted"`
	// Kept is how many files were there already.
	Kept int `json:"kept"`
	// Bytes is what came from the source.
	Bytes int64 `json:"bytes"`
	// Notes are for people: what a channel does not have.
	Notes []string `json:"notes"`
}

// Channel is what became of one channel.
type Channel struct {
	// Name is what was asked for; Date and Version are the manifest's.
	Name    string `json:"name"`
	Date    string `json:"date"`
	Version string `json:"version"`
	// Manifests are the names of its manifest in the store.
	Manifests []string `json:"manifests"`
	// Whole says that the manifest has the source's bytes, so that its signatures fit.
	Whole bool `json:"whole"`
	// Signature is that of the source's manifest, if it was checked.
	Signature *sign.Signature `json:"signature,omitempty"`
	// Changed says that a manifest was written.
	Changed bool `json:"changed"`
	// Files is how many files it names.
	Files int `json:"files"`
}

// File is a file of the mirror.
type File struct {
	// Name is its name in the store.
	Name string `json:"name"`
	// Size is in bytes; -1 in a dry run, if nobody knows.
	Size int64 `json:"size"`
}

// toolchainName matches the names by which rustup asks for a channel, with a day behind
// those that move.
var toolchainName = regexp.MustCompile(`^(stable|beta|nightly|dev|\d+\.\d+(?:\.\d+)?(?:-beta(?:\.\d+)?)?)(?:-(\d{4}-\d\d-\d\d))?$`)

// parseToolchain splits the name of a toolchain into a channel and a day, which is "" if
// the name has none.
func parseToolchain(name string) (channel, day string, err error) {
	m := toolchainName.FindStringSubmatch(name)
	if m == nil {
		return "", "", fmt.Errorf("reading channel %q: want stable, beta, nightly, a version such as 1.95.0, or one of them with a day such as nightly-2026-04-16", name)
	}
	return m[1], m[2], nil
}

// Validate returns what is wrong with the options, all at once.
func (o Options) Validate() error {
	var errs []error
	for _, name := range o.Channels {
		_, _, err := parseToolchain(name)
		errs = append(errs, err)
	}
	for _, day := range []string{o.Since, o.Until} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			errs = append(errs, fmt.Errorf("reading day %q: want YYYY-MM-DD", day))
		}
	}
	for _, v := range o.RustupVersions {
		if _, err := targets.ParseRelease(v); err != nil {
			errs = append(errs, fmt.Errorf("reading version %q of rustup: want one such as 1.29.0", v))
		}
	}
	if o.Nightlies < 0 {
		errs = append(errs, fmt.Errorf("got %d nightlies, want 0 or more", o.Nightlies))
	}
	return errors.Join(errs...)
}

// mirror is one run.
type mirror struct {
	Options
	up     upstream
	store  *store.Store
	result *Result
	// proofs are the signatures that were checked, by the name of the manifest in the
	// source.
	proofs map[string]proof
	tally
}

// Run mirrors channels of a source into a store. Each file is checked against its
// manifest while it streams; a channel's manifest moves only when all that it names is
// there. A channel that fails leaves its old manifest, and does not stop the others: the
// error joins the failures. The result is right even with an error.
func Run(ctx context.Context, to *store.Store, o Options) (Result, error) {
	m := &mirror{Options: o, store: to, proofs: map[string]proof{}, result: &Result{Store: to.String(), Channels: []Channel{}, Files: []File{}, Deleted: []string{}, Notes: []string{}}}
	err := m.run(ctx)
	m.finish()
	if err != nil {
		return *m.result, fmt.Errorf("mirroring into %q: %w", to, err)
	}
	return *m.result, nil
}

func (m *mirror) run(ctx context.Context) error {
	if err := m.Validate(); err != nil {
		return err
	}
	up, err := openUpstream(ctx, m.Source, &channel.Client{Near: true, Persist: true, Hosts: m.Redirects, Patience: m.Patience})
	if err != nil {
		return err
	}
	m.up, m.result.Source = up, up.String()
	releases, err := m.plan(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range releases {
		if err := m.release(ctx, r); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			errs = append(errs, fmt.Errorf("channel %s: %w", r.asked, err))
		}
	}
	if m.Rustup {
		if err := m.rustup(ctx, releases); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			errs = append(errs, fmt.Errorf("rustup: %w", err))
		}
	}
	if len(errs) == 0 && m.Delete {
		errs = append(errs, m.deleteUnselected(ctx, releases))
	}
	return errors.Join(errs...)
}

// note adds a note, once.
func (m *mirror) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(m.result.Notes, text) {
		m.result.Notes = append(m.result.Notes, text)
	}
}
