package mirror_test

import (
	"crypto/sha256"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"x.go/dist/mirror"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

const (
	gnu   = "x86_64-unknown-linux-gnu"
	arm   = "aarch64-unknown-linux-gnu"
	win   = "x86_64-pc-windows-msvc"
	wasm  = "wasm32-unknown-unknown"
	board = "thumbv7em-none-eabihf"
)

func triple(t testing.TB, name string) targets.Triple {
	t.Helper()
	return val(targets.ParseTriple(name))(t)
}

// server is a tree as that of static.rust-lang.org, with what was asked of it.
type server struct {
	dir string
	url string

	mu    sync.Mutex
	asked map[string]int // GET requests that got content, by path
	hook  atomic.Pointer[hook]
}

// hook answers a request, or returns false.
type hook func(w http.ResponseWriter, r *http.Request) bool

// answer has requests answered by h first.
func (s *server) answer(h hook) { s.hook.Store(&h) }

func newServer(t testing.TB) *server {
	s := &server{dir: t.TempDir(), asked: map[string]int{}}
	files := http.FileServer(http.Dir(s.dir))
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(path.Clean(r.URL.Path)))); err == nil {
			s.mu.Lock()
			s.asked[strings.TrimPrefix(r.URL.Path, "/")]++
			s.mu.Unlock()
		}
		if h := s.hook.Load(); h == nil || !(*h)(w, r) {
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

// archives returns the paths of archives that were asked for since the last call.
func (s *server) archives() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.asked)) {
		if strings.HasSuffix(name, ".tar.xz") {
			out = append(out, name)
		}
	}
	s.asked = map[string]int{}
	return out
}

func (s *server) write(t testing.TB, name, text string) {
	t.Helper()
	file := filepath.Join(s.dir, filepath.FromSlash(name))
	testenv.Must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	testenv.Must(t, os.WriteFile(file, []byte(text), 0o644))
}

// signed writes a file with its checksum and what stands for its signature.
func (s *server) signed(t testing.TB, name, text string) {
	t.Helper()
	s.write(t, name, text)
	s.write(t, name+".sha256", string(manifests.FormatChecksum(manifests.HashOf([]byte(text)), path.Base(name))))
	s.write(t, name+".asc", "signature of "+text[:min(len(text), 40)])
}

// release is one that a server publishes.
type release struct {
	version, date string
	hosts         []string          // gnu and arm, if there are none
	targets       []string          // besides the hosts
	without       map[string]string // component: host that lacks it
}

// publish writes a release as promote-release does: the undated files, too.
func (s *server) publish(t testing.TB, r release) *manifests.Channel {
	t.Helper()
	v := manifests.Version{Release: val(targets.ParseRelease(r.version))(t), CommitHash: strings.Repeat("0123456789", 4), CommitDate: r.date}
	if r.hosts == nil {
		r.hosts = []string{gnu, arm}
	}
	plan := manifests.ChannelPlan{Version: v, Date: r.date, URLBase: manifests.OfficialServer + "/dist/" + r.date}
	add := func(name string) {
		a := val(manifests.ParseArchiveName(name))(t)
		text := name + " of " + r.date
		s.signed(t, "dist/"+r.date+"/"+name, text)
		plan.Archives = append(plan.Archives, manifests.ListedArchive{ArchiveName: a, Hash: sha256.Sum256([]byte(text))})
	}
	in := v.PackageVersion()
	for _, host := range r.hosts {
		plan.Hosts = append(plan.Hosts, triple(t, host))
		for _, c := range []string{"rust", "rustc", "rust-std", "cargo", "rust-docs", "clippy", "rustfmt"} {
			if r.without[c] != host {
				add(c + "-" + in + "-" + host + ".tar.xz")
			}
		}
	}
	for _, target := range r.targets {
		add("rust-std-" + in + "-" + target + ".tar.xz")
	}
	add("rust-src-" + in + ".tar.xz")
	add("rustc-" + in + "-src.tar.xz")
	c := val(plan.Channel())(t)
	for _, f := range manifests.ChannelFiles(v.Names(), v.CommitHash, c, manifests.DialectDist) {
		for _, dir := range []string{"dist/" + r.date + "/", "dist/"} {
			s.write(t, dir+f.Name, string(f.Data))
			if strings.HasSuffix(f.Name, ".toml") {
				s.write(t, dir+f.Name+".asc", "signature of "+r.date)
			}
		}
	}
	return c
}

// day returns the day that is so many days after the first of 2026.
func day(n int) string {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.DateOnly)
}

// rustup writes rustup's own tree.
func (s *server) rustup(t testing.TB, version string, hosts ...string) {
	t.Helper()
	for _, host := range hosts {
		name := "rustup-init"
		if strings.Contains(host, "windows") {
			name += ".exe"
		}
		for _, dir := range []string{"rustup/archive/" + version + "/" + host, "rustup/dist/" + host} {
			text := "rustup " + version + " for " + host
			s.write(t, dir+"/"+name, text)
			s.write(t, dir+"/"+name+".sha256", manifests.HashOf([]byte(text)).String()+" *./"+name+"\n")
		}
	}
	s.write(t, "rustup/release-stable.toml", "schema-version = \"1\"\nversion = \""+version+"\"\n")
}

// openStore opens a store in a new directory.
func openStore(t testing.TB) (s *store.Store, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "mirror")
	s = val(store.Open(t.Context(), dir))(t)
	t.Cleanup(func() { _ = s.Close() })
	return s, dir
}

// tree returns the content of all files below a directory, by slash path.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".x-") {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run mirrors and wants no error.
func run(t testing.TB, s *store.Store, o mirror.Options) mirror.Result {
	t.Helper()
	r, err := mirror.Run(t.Context(), s, o)
	if err != nil {
		t.Fatalf("mirroring: %v", err)
	}
	return r
}

// intact wants a store that has all that its manifests name.
func intact(t testing.TB, s *store.Store) mirror.Report {
	t.Helper()
	r := val(mirror.Verify(t.Context(), s, mirror.VerifyOptions{}))(t)
	if !r.Passed {
		t.Errorf("verifying the store: got %v", r.Problems)
	}
	return r
}

func has(t testing.TB, dir, name string) bool {
	t.Helper()
	_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
	return err == nil
}

func wantNames(t testing.TB, dir string, want bool, names ...string) {
	t.Helper()
	for _, name := range names {
		if got := has(t, dir, name); got != want {
			t.Errorf("%s: got it there %t, want %t", name, got, want)
		}
	}
}

// val returns a value, or ends the test with the error.
func val[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		testenv.Must(t, err)
		return v
	}
}
