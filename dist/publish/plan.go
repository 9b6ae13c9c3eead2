package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"

	"x.go/dist/channel"
	"x.go/dist/compose"
	"x.go/dist/sign"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/targets"
)

// maxSmall bounds a text or a signature, in bytes.
const maxSmall = 1 << 20

// Options say what to publish and what to accept. Only Dir is required.
type Options struct {
	// Dir has the channel: archives and manifests of one release.
	Dir string
	// Date is the day of publication, YYYY-MM-DD, if it is not that of the manifests.
	Date string
	// Keyrings must each hold the key of a signature beside each manifest, provenance and
	// SHA256SUMS. Without any, signatures are published as they are.
	Keyrings []*sign.Keyring
	// PublicURL is the store's own name for its readers, such as https://rust.example.org,
	// for manifests.txt. If it is empty, the name that manifests.txt has is used, and
	// without any there is no manifests.txt.
	PublicURL string
	// AllowGone are the components that may go: names of packages, with or without target
	// ("miri-preview", "miri-preview-x86_64-unknown-linux-gnu"), or of targets, of all of
	// whose components it is then true.
	AllowGone []string
	// MoveBack lets an older release replace what a channel offers.
	MoveBack bool
	// Repair puts files again that the store has in a damaged state.
	Repair bool
	// Jobs is the number of files sent or read at once; 0 means GOMAXPROCS.
	Jobs int
	// Progress, if set, is called at each step, from one goroutine at a time.
	Progress func(Event)
}

// Event is one step of a run.
type Event struct {
	Phase Phase
	Name  string
	Bytes int64 // sent or read since the last event of the file
	Size  int64
	Done  bool
}

// Phase is a part of a publication. Each ends before the next begins.
type Phase string

// The phases, in their order.
const (
	// Sums puts the .sha256 files of archives: of two publishers of one day, one meets
	// the other's here, before it has sent anything large.
	Sums Phase = "checksums"
	// Archives puts the archives and all that lies beside them.
	Archives Phase = "archives"
	// ReadBack reads all of them again, and digests them.
	ReadBack Phase = "read-back"
	// Dated puts the files of the channel for its day.
	Dated Phase = "dated-manifest"
	// Undated copies the archives to their names without day.
	Undated Phase = "undated-copies"
	// Redirects adds the rules of an overlay for what other servers have.
	Redirects Phase = "redirects.json"
	// Channel puts the files by which rustup finds the channel, the .sha256 last.
	Channel Phase = "channel"
	// Listing adds the dated manifests to manifests.txt.
	Listing Phase = "manifests.txt"
)

// Action is what a step does with a name.
type Action string

// The actions.
const (
	Put     Action = "put-if-absent"
	Check   Action = "read-back"
	Copy    Action = "copy"
	Replace Action = "replace"
	Append  Action = "append"
	Delete  Action = "delete"
)

// Step is what happens to one name of the store.
type Step struct {
	Phase  Phase          `json:"phase"`
	Action Action         `json:"action"`
	Name   string         `json:"name"`
	From   string         `json:"from,omitempty"` // the path of a file, or the name that is copied
	Size   int64          `json:"size"`
	SHA256 manifests.Hash `json:"sha256,omitzero"`
	// Present says that the store had it when the plan was made: nothing is sent.
	Present bool `json:"present"`

	body store.Body
}

// Held is a name of the channel that stays where it is: the store offers a newer release.
type Held struct {
	Name    string `json:"name"`
	Offered string `json:"offered"`
	Got     string `json:"got"`
}

// Plan is a publication that can be run.
type Plan struct {
	// Store is the place, without secrets.
	Store string `json:"store"`
	// Date is the day of the channel, Version its release.
	Date    string `json:"date"`
	Version string `json:"version"`
	// Names are those by which rustup gets the channel from now on.
	Names []string `json:"names"`
	// Held are names that stay at a newer release.
	Held []Held `json:"held,omitempty"`
	// Gone are components that the store offers and this channel does not, by name.
	Gone []string `json:"gone,omitempty"`
	// Redirected is how many files of the channel only another server has, to which the
	// store's rules send clients.
	Redirected int `json:"redirected,omitempty"`
	// Notes are for the publisher.
	Notes []string `json:"notes,omitempty"`
	Steps []Step   `json:"steps"`

	store   *store.Store
	options Options
	source  *compose.Source
	anew    bool // the manifests are not those of the directory
	offered map[string]offer
	listed  []string           // lines of manifests.txt
	rules   []channel.Redirect // of the channel
}

// offer is what the store has under a name of a channel.
type offer struct {
	text    []byte
	version store.Version
	channel *manifests.Channel // nil if there is none
}

// GoneError says that components would go that users may have.
type GoneError struct {
	// Components are "PACKAGE-TARGET", by name of the channel that offers them.
	Components []string
}

// maxShown is how many names a message has.
const maxShown = 10

// Error lists the components.
func (e *GoneError) Error() string {
	return fmt.Sprintf("%d components that the store offers would be gone, and who has one of them could no longer update: %s: name them, if that is meant",
		len(e.Components), shorten(e.Components))
}

func shorten(list []string) string {
	text := strings.Join(list[:min(len(list), maxShown)], ", ")
	if more := len(list) - maxShown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// ConflictError says that a name which never changes has other content: a second release
// of a day, or another publisher.
type ConflictError struct {
	Name      string
	Got, Want manifests.Hash
}

// Error says what to do.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%q is taken by another release of that day, perhaps of another publisher: got sha256 %s, want %s: a dated name never changes: publish with a later date",
		e.Name, e.Got, e.Want)
}

// DamagedError says that the store has other bytes under a name than were put there.
type DamagedError struct {
	Name      string
	Got, Want manifests.Hash
}

// Error says what was read back.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%q is damaged in the store: read back sha256 %s, want %s", e.Name, e.Got, e.Want)
}

// New reads the channel and plans its publication. The error is a [*GoneError] if the
// store offers components that the channel does not have.
func New(ctx context.Context, s *store.Store, o Options) (*Plan, error) {
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	p := &Plan{Store: s.String(), store: s, options: o, offered: map[string]offer{}}
	if err := p.make(ctx); err != nil {
		return nil, fmt.Errorf("planning to publish %q: %w", o.Dir, err)
	}
	return p, nil
}

func (p *Plan) make(ctx context.Context) error {
	var err error
	if p.source, err = compose.Open(ctx, p.options.Dir); err != nil {
		return err
	}
	if len(p.source.Findings) > 0 {
		return p.source.Findings
	}
	if len(p.source.Names) == 0 {
		return fmt.Errorf("%q is not the manifest of a channel by its name, such as channel-rust-stable.toml", path.Base(p.source.Place))
	}
	if p.rules, err = readRules(p.source.Place); err != nil {
		return err
	}
	if p.anew, err = p.date(); err != nil {
		return err
	}
	c := p.source.Channel
	p.Date, p.Version = c.Date, c.Packages["rust"].Version
	if err := p.compare(ctx); err != nil {
		return err
	}
	files, err := readFiles(ctx, p.source, p.anew, p.redirected)
	if err != nil {
		return err
	}
	if err := p.settleRedirected(ctx, &files); err != nil {
		return err
	}
	if err := p.checkSignatures(files); err != nil {
		return err
	}
	if err := p.plan(ctx, files); err != nil {
		return err
	}
	if err := p.list(ctx); err != nil {
		return err
	}
	return p.present(ctx)
}

// compare looks at what the store offers under the names of the channel.
func (p *Plan) compare(ctx context.Context) error {
	var gone []component
	for _, name := range p.source.Names {
		o, err := p.load(ctx, channelFile(name))
		if err != nil {
			return err
		}
		p.offered[name] = o
		if o.channel == nil {
			p.Names = append(p.Names, name)
			continue
		}
		if older(name, p.source.Channel, o.channel) && !p.options.MoveBack {
			p.Held = append(p.Held, Held{name, describe(o.channel), describe(p.source.Channel)})
			continue
		}
		p.Names = append(p.Names, name)
		for _, ref := range lost(o.channel, p.source.Channel) {
			if !slices.Contains(gone, ref) {
				gone = append(gone, ref)
			}
		}
	}
	var refused []string
	for _, c := range gone {
		p.Gone = append(p.Gone, c.String())
		if !c.allowed(p.options.AllowGone) {
			refused = append(refused, c.String())
		}
	}
	if len(refused) > 0 {
		return &GoneError{refused}
	}
	return nil
}

// load reads a manifest of the store. One that cannot be read, such as somebody else's,
// is an error: it would be replaced.
func (p *Plan) load(ctx context.Context, name string) (offer, error) {
	text, v, err := p.store.Load(ctx, name, manifests.MaxChannel)
	if errors.Is(err, fs.ErrNotExist) {
		return offer{}, nil
	}
	if err != nil {
		return offer{}, err
	}
	c, findings, _ := manifests.CheckChannel(text)
	if c == nil {
		return offer{}, fmt.Errorf("reading %q of the store: %w", name, findings)
	}
	return offer{text, v, c}, nil
}

// channelFile is the name of a channel's manifest in a store.
func channelFile(name string) string { return "dist/channel-rust-" + name + ".toml" }

func describe(c *manifests.Channel) string {
	return c.Packages["rust"].Version + " of " + c.Date
}

// older reports whether a channel is an earlier release than what is offered under a
// name. On beta and nightly the day counts first, elsewhere the release.
func older(name string, c, offered *manifests.Channel) bool {
	byDate := strings.Compare(c.Date, offered.Date)
	byRelease := release(c).Compare(release(offered))
	if strings.HasPrefix(name, "nightly") || strings.Contains(name, "beta") {
		return byDate < 0
	}
	return byRelease < 0 || byRelease == 0 && byDate < 0
}

func release(c *manifests.Channel) targets.Release {
	v, err := c.Version()
	if err != nil {
		return targets.Release{} // older than all
	}
	return v.Release
}
