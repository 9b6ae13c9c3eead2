package publishing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// host has the small toolchains.
const host = "x86_64-unknown-linux-gnu"

// release is a small channel to publish.
type release struct {
	version, date string
	components    []string // archives, by name
	salt          string   // in each file
	undated       bool     // the URLs, as x dist writes them
}

var usual = []string{"rustc", "rust-std", "cargo", "rustfmt"}

// write creates the directory of the channel.
func (r release) write(t testing.TB) string {
	t.Helper()
	if r.components == nil {
		r.components = usual
	}
	dir := filepath.Join(t.TempDir(), "dist")
	testenv.Must(t, os.Mkdir(dir, 0o755))
	rel, err := targets.ParseRelease(r.version)
	testenv.Must(t, err)
	triple, err := targets.ParseTriple(host)
	testenv.Must(t, err)
	v := manifests.Version{Release: rel}
	for _, name := range r.components {
		testenv.Must(t, r.pack(t, dir, name, v, triple))
	}
	plan := manifests.ChannelPlan{Version: v, Date: r.date, URLBase: manifests.OfficialServer + "/dist/" + r.date}
	if r.undated {
		plan.URLBase = manifests.OfficialServer + "/dist"
	}
	for _, file := range testenv.List(t, dir) {
		name, err := manifests.ParseArchiveName(file)
		if err != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, file))
		testenv.Must(t, err)
		plan.Archives = append(plan.Archives, manifests.ListedArchive{ArchiveName: name, Hash: manifests.HashOf(data), VersionText: v.String()})
	}
	c, err := plan.Channel()
	testenv.Must(t, err)
	for _, f := range manifests.ChannelFiles(v.Names(), v.CommitHash, c, manifests.DialectDist) {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644))
	}
	return dir
}

// pack writes one archive, of one text.
func (r release) pack(t testing.TB, dir, name string, v manifests.Version, triple targets.Triple) error {
	spec, ok := manifests.LookupComponent(name)
	if !ok {
		t.Fatalf("no component %q", name)
	}
	comp := dist.Component{Name: spec.Dir(triple), BulkDirs: spec.BulkDirs}
	testenv.Must(t, comp.Image.AddBytes("share/small/"+name, []byte(r.version+r.date+r.salt+strings.Repeat(".", 3000)), dist.ModeFile))
	p := dist.Package{
		Name: spec.PackageName(v.PackageVersion(), triple), Components: []dist.Component{comp},
		Product: spec.Product, SuccessMessage: spec.SuccessMessage(),
	}
	testenv.Must(t, p.Overlay.AddBytes("version", []byte(v.String()), dist.ModeFile))
	_, err := archive.Writer{Formats: []archive.Format{manifests.GZ, manifests.XZ}, Profile: archive.Fast}.Write(t.Context(), dir, p)
	return err
}

// place is a store that tests publish to.
type place struct {
	url string   // of the store
	env []string // of x
}

// open opens the store in this process.
func (p place) open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), p.url)
	testenv.Must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// publish runs x publish, without its gate.
func (p place) publish(t testing.TB, dir string, args ...string) runx.Result {
	t.Helper()
	return runx.X(t, t.TempDir(), p.env, append(append([]string{"publish", "--gate=none", "--json"}, args...), dir, p.url)...)
}

// must is publish that must work.
func (p place) must(t testing.TB, dir string, args ...string) answer {
	t.Helper()
	r := p.publish(t, dir, args...)
	if r.Code != 0 {
		t.Fatalf("got exit status %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
	}
	return parse(t, r)
}
