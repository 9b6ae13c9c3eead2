package install

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// origin is a server of a channel with the archives of the shop.
type origin struct {
	*httptest.Server
	files map[string]string // content by path

	mu    sync.Mutex
	asked []string // requests, with the range that they want
	odd   map[string]func(w http.ResponseWriter, r *http.Request, nth int, data string)
}

const (
	dated       = "/dist/2026-04-16/"
	channelFile = "/dist/channel-rust-stable.toml"
	cargoFile   = dated + "cargo-1.95.0-" + thisHost + ".tar.zst"
)

// newOrigin serves what a channel of the release 1.95.0 has. Its URLs are the official ones.
func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{files: map[string]string{}, odd: map[string]func(http.ResponseWriter, *http.Request, int, string){}}
	c := &manifests.Channel{Date: "2026-04-16", Packages: map[string]manifests.Package{}, Artifacts: map[string]map[string][]manifests.Download{},
		Renames: map[string]string{"clippy": "clippy-preview"}, Profiles: map[string][]string{
			"minimal": {"rustc", "rust-std"}, "default": {"rustc", "cargo", "rust-std", "clippy-preview"}, "complete": {"rustc", "cargo", "rust-std", "clippy-preview", "rust-docs"}}}
	version := "1.95.0 (59807616e 2026-04-14)"
	add := func(pkg, archive, target string) {
		p, ok := c.Packages[pkg]
		if !ok {
			p = manifests.Package{Version: version, Targets: map[string]manifests.PackageTarget{}}
		}
		at := manifests.PackageTarget{Available: true}
		for ext, d := range map[string]*manifests.Download{".tar.gz": &at.GZ, ".tar.xz": &at.XZ, ".tar.zst": &at.Zst} {
			name := archive + "-1.95.0-" + target + ext
			if data, ok := archives(t)[name]; ok {
				*d = manifests.Download{URL: manifests.OfficialServer + dated + name, Hash: manifests.HashOf([]byte(data))}
				o.files[dated+name] = data
			}
		}
		p.Targets[target] = at
		c.Packages[pkg] = p
	}
	add("rustc", "rustc", thisHost)
	add("cargo", "cargo", thisHost)
	add("rust-std", "rust-std", thisHost)
	add("rust-std", "rust-std", otherHost)
	add("rust-docs", "rust-docs", thisHost)
	add("clippy-preview", "clippy", thisHost)
	add("rust", "rust", thisHost)
	rust := c.Packages["rust"].Targets[thisHost]
	for _, name := range []string{"rustc", "cargo", "rust-std", "rust-docs"} {
		rust.Components = append(rust.Components, manifests.ComponentRef{Package: name, Target: thisHost})
	}
	rust.Extensions = []manifests.ComponentRef{{Package: "clippy-preview", Target: thisHost}, {Package: "rust-std", Target: otherHost}}
	c.Packages["rust"].Targets[thisHost] = rust
	o.put(channelFile, string(c.Encode(manifests.DialectDist)))
	o.Server = httptest.NewServer(o)
	t.Cleanup(o.Close)
	return o
}

// put serves a file and its digest.
func (o *origin) put(name, data string) {
	o.files[name] = data
	o.files[name+manifests.ChecksumExt] = string(manifests.FormatChecksum(manifests.HashOf([]byte(data)), path.Base(name)))
}

// ServeHTTP implements [http.Handler].
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.asked = append(o.asked, strings.TrimSpace(path.Base(r.URL.Path)+" "+r.Header.Get("Range")))
	nth := 0
	for _, line := range o.asked {
		if name, _, _ := strings.Cut(line, " "); name == path.Base(r.URL.Path) {
			nth++
		}
	}
	odd := o.odd[r.URL.Path]
	o.mu.Unlock()
	data, ok := o.files[r.URL.Path]
	switch {
	case odd != nil:
		odd(w, r, nth, data)
	case !ok:
		http.NotFound(w, r)
	default:
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
	}
}

// requests returns how a file was asked for.
func (o *origin) requests(name string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for _, line := range o.asked {
		if file, how, _ := strings.Cut(line, " "); file == path.Base(name) {
			out = append(out, how)
		}
	}
	return out
}

// cut sends half of what is asked for, and breaks the connection.
func cut(w http.ResponseWriter, r *http.Request, data string) {
	var from int
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	status := http.StatusOK
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		status = http.StatusPartialContent
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(data)-from))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(data[from : from+(len(data)-from)/2]))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// channelBox is a box that installs cargo from the channel of a server.
func channelBox(t *testing.T) (*box, *origin) {
	b, o := newBox(t), newOrigin(t)
	b.from.Sources = []string{o.URL + channelFile}
	b.from.CacheDir = b.path("cache")
	b.from.Components = []string{"cargo"}
	return b, o
}

// works holds that the installation works, leaves no archive in the cache, and asks for
// the archive of cargo in a way: the ranges of its requests.
func (b *box) works(o *origin, want ...string) {
	b.t.Helper()
	done, err := RunFrom(b.t.Context(), b.opts, b.from)
	testenv.Must(b.t, err)
	if diff := cmp.Diff([]string{"cargo"}, done.Components); diff != "" {
		b.t.Errorf("(-want +got)\n%s", diff)
	}
	if got := o.requests(cargoFile); len(want) > 0 && !slices.Equal(got, want) {
		b.t.Errorf("got requests %q, want %q", got, want)
	}
	if left := testenv.List(b.t, b.path("cache")); len(left) > 0 {
		b.t.Errorf("the cache still has %q", left)
	}
}

// TestFromServer has servers that are no good, but good enough.
func TestFromServer(t *testing.T) {
	half := len(archives(t)[path.Base(cargoFile)]) / 2
	rest := fmt.Sprintf("bytes=%d-", half)
	for _, tt := range []struct {
		name string
		odd  func(w http.ResponseWriter, r *http.Request, nth int, data string)
		want []string
	}{
		{"plain", nil, []string{""}},
		{"a connection that breaks", func(w http.ResponseWriter, r *http.Request, nth int, data string) {
			if nth == 1 {
				cut(w, r, data)
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
		}, []string{"", rest}},
		{"a server without ranges", func(w http.ResponseWriter, r *http.Request, nth int, data string) {
			r.Header.Del("Range")
			if nth == 1 {
				cut(w, r, data)
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
		}, []string{"", rest, ""}},
		{"another part than was asked for", func(w http.ResponseWriter, r *http.Request, nth int, data string) {
			switch nth {
			case 1:
				cut(w, r, data)
			case 2:
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", len(data)-1, len(data)))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write([]byte(data[1:]))
			default:
				http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
			}
		}, []string{"", rest, ""}},
		{"overloaded at first", func(w http.ResponseWriter, r *http.Request, nth int, data string) {
			if nth == 1 {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
		}, []string{"", ""}},
		{"redirected", func(w http.ResponseWriter, r *http.Request, nth int, data string) {
			if r.URL.RawQuery == "" {
				http.Redirect(w, r, r.URL.Path+"?again", http.StatusFound)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
		}, []string{"", ""}},
		{"no digest of the channel", func(w http.ResponseWriter, r *http.Request, _ int, data string) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
		}, []string{""}},
		{"no size told", func(w http.ResponseWriter, _ *http.Request, _ int, data string) {
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte(data))
		}, []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, o := channelBox(t)
			if tt.odd != nil {
				o.odd[cargoFile] = tt.odd
			}
			if strings.Contains(tt.name, "digest") {
				delete(o.files, channelFile+manifests.ChecksumExt)
			}
			b.works(o, tt.want...)
		})
	}
}

// TestRefusedServers has servers from which nothing can be installed: a second call,
// once they are well, can.
func TestRefusedServers(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		file       string
		odd        func(w http.ResponseWriter, r *http.Request, nth int, data string)
	}{
		{"no archive", `"404 Not Found"`, cargoFile, func(w http.ResponseWriter, r *http.Request, _ int, _ string) { http.NotFound(w, r) }},
		{"no right to it", `"403 Forbidden"`, cargoFile, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
			http.Error(w, "no", http.StatusForbidden)
		}},
		{"no channel", `"404 Not Found"`, channelFile, func(w http.ResponseWriter, r *http.Request, _ int, _ string) { http.NotFound(w, r) }},
		{"broken for good", `"500 Internal Server Error"`, cargoFile, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
			http.Error(w, "no", http.StatusInternalServerError)
		}},
		{"another file", "got sha256 ", cargoFile, func(w http.ResponseWriter, r *http.Request, _ int, data string) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader("x"+data[1:]))
		}},
		{"a page", "got sha256 ", cargoFile, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) { fmt.Fprintln(w, "<!DOCTYPE html>") }},
		{"nothing", "got sha256 ", cargoFile, func(http.ResponseWriter, *http.Request, int, string) {}},
		{"sent in a circle", "redirects", cargoFile, func(w http.ResponseWriter, r *http.Request, _ int, _ string) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}},
		{"sent elsewhere", "", cargoFile, func(w http.ResponseWriter, r *http.Request, _ int, _ string) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}},
		{"breaks at once, always", "EOF", cargoFile, func(http.ResponseWriter, *http.Request, int, string) { panic(http.ErrAbortHandler) }},
		{"breaks in the middle, always, and sends no parts", "", cargoFile, func(w http.ResponseWriter, r *http.Request, _ int, data string) {
			r.Header.Del("Range")
			cut(w, r, data)
		}},
		{"a huge file that ends", "EOF", cargoFile, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
			w.Header().Set("Content-Length", "99999999999999")
			w.WriteHeader(http.StatusOK)
		}},
		{"a page for a channel", "want a channel manifest in TOML", channelFile, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) { fmt.Fprintln(w, "<!DOCTYPE html>") }},
		{"another digest of the channel", "want " + strings.Repeat("0", 64), channelFile + manifests.ChecksumExt, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
			fmt.Fprintln(w, strings.Repeat("0", 64)+"  channel-rust-stable.toml")
		}},
		{"no digest of the channel in its file", "parsing checksum file", channelFile + manifests.ChecksumExt, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
			fmt.Fprintln(w, "<!DOCTYPE html>")
		}},
		{"an endless digest", "more than", channelFile + manifests.ChecksumExt, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, o := channelBox(t)
			if tt.name == "a page for a channel" {
				delete(o.files, channelFile+manifests.ChecksumExt)
				o.put(channelFile, "<!DOCTYPE html>\n")
			}
			o.odd[tt.file] = tt.odd
			_, err := RunFrom(t.Context(), b.opts, b.from)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), b.from.Sources[0]) || strings.Count(err.Error(), path.Base(channelFile)) > 3 {
				t.Errorf("got error %v, want one with %q and the source", err, tt.want)
			}
			left := slices.Sorted(maps.Keys(testenv.Tree(t, b.top)))
			left = slices.DeleteFunc(left, func(name string) bool {
				return strings.HasPrefix(name, "cache/") && strings.HasSuffix(name, ".partial")
			})
			if diff := cmp.Diff([]string{"outside/", "outside/canary", "src/"}, slices.DeleteFunc(left, func(name string) bool { return name == "cache/" })); diff != "" {
				t.Errorf("(-want +left)\n%s", diff)
			}
			if tt.name == "a page for a channel" {
				return
			}
			o.mu.Lock()
			delete(o.odd, tt.file)
			o.mu.Unlock()
			b.works(o)
		})
	}
}

// TestInterrupted stops while an archive is fetched, from a server that has stopped to
// send: what was fetched is not fetched again, and the archive of before not at all.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	b, o := channelBox(t)
	b.from.Components = []string{"cargo", "rustc"}
	data := o.files[cargoFile]
	sent := make(chan bool, 1)
	o.odd[cargoFile] = func(w http.ResponseWriter, r *http.Request, nth int, _ string) {
		if nth > 1 {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write([]byte(data[:100]))
		w.(http.Flusher).Flush()
		sent <- true
		<-r.Context().Done()
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.from.Fetching = func(name string, done, total int64) {
		if name == path.Base(cargoFile) && done == 100 {
			<-sent
			cancel()
		}
	}
	if _, err := RunFrom(ctx, b.opts, b.from); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want one of the context", err)
	}
	if _, err := os.Lstat(b.opts.Prefix); err == nil {
		t.Error("the prefix is there")
	}
	b.from.Fetching = nil
	_, err := RunFrom(t.Context(), b.opts, b.from)
	testenv.Must(t, err)
	if diff := cmp.Diff([]string{"", "bytes=100-"}, o.requests(cargoFile)); diff != "" {
		t.Errorf("cargo: requests (-want +got)\n%s", diff)
	}
	if got := o.requests("rustc-1.95.0" + tgz); len(got) != 1 {
		t.Errorf("rustc was asked for %d times", len(got))
	}
}

// TestChannels chooses from a channel, on a server and on disk.
func TestChannels(t *testing.T) {
	const std, far = "rust-std-" + thisHost, "rust-std-" + otherHost
	for _, tt := range []struct {
		profile, only, without, targets, host string
		want                                  string // components, or after "!" an error
	}{
		{want: "cargo clippy-preview " + std + " rustc"},
		{profile: "minimal", want: std + " rustc"},
		{profile: "complete", without: "clippy", want: "cargo rust-docs " + std + " rustc"},
		{profile: "minimal", only: "clippy", want: "clippy-preview " + std + " rustc"},
		{only: "clippy-preview", want: "clippy-preview"},
		{profile: "minimal", targets: otherHost, want: far + " " + std + " rustc"},
		{only: "cargo", targets: otherHost, want: "cargo " + far},
		{only: far, want: far},
		{profile: "minimal", without: "rust-std-" + thisHost, want: "rustc"},
		{profile: "tiny", want: `!"tiny"`},
		{only: "clipy", want: "!clippy"},
		{without: "clipy", want: "!clippy"},
		{targets: "riscv64gc-unknown-linux-gnu", want: `!choosing target "riscv64gc-unknown-linux-gnu": the channel has no rust-std for it`},
		{host: otherHost, want: `!the channel is not for host "aarch64-unknown-linux-gnu"`},
		{only: "cargo", without: "cargo", want: "!nothing of the channel is left to install"},
	} {
		for _, local := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %s %s %s %t", tt.profile, tt.only, tt.without, tt.targets, local), func(t *testing.T) {
				t.Parallel()
				b, o := channelBox(t)
				if local {
					for name, data := range o.files {
						put(t, b.path("mirror"+name), data)
					}
					b.from.Sources = []string{b.path("mirror" + channelFile)}
				}
				b.from.Profile, b.from.Components, b.from.Without, b.from.Targets = tt.profile, list(tt.only), list(tt.without), list(tt.targets)
				if tt.host != "" {
					b.from.Host = tt.host
				}
				if want, wrong := strings.CutPrefix(tt.want, "!"); wrong {
					b.fails(want)
					return
				}
				done, err := RunFrom(t.Context(), b.opts, b.from)
				testenv.Must(t, err)
				slices.Sort(done.Components)
				if diff := cmp.Diff(strings.Fields(tt.want), done.Components); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// TestArchiveURL installs an archive by its URL: the server must tell its digest.
func TestArchiveURL(t *testing.T) {
	b, o := channelBox(t)
	b.from.Sources = []string{o.URL + cargoFile}
	b.fails("the server has no " + path.Base(cargoFile) + ".sha256 beside it, which tells its digest: download the archive yourself and name the file")
	o.put(cargoFile, o.files[cargoFile])
	b.works(o, "")
}

// TestPassword does not show what a URL has.
func TestPassword(t *testing.T) {
	b, o := channelBox(t)
	o.odd[channelFile] = func(w http.ResponseWriter, r *http.Request, _ int, _ string) { http.NotFound(w, r) }
	b.from.Sources = []string{strings.Replace(o.URL, "://", "://me:secret@", 1) + channelFile}
	if _, err := RunFrom(t.Context(), b.opts, b.from); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %v", err)
	}
}

// TestRepairFromServer repairs what was installed from the channel of a server. It
// fetches the archives of what is installed, and no others, also for a toolchain with
// rustup's records.
func TestRepairFromServer(t *testing.T) {
	for _, rustups := range []bool{false, true} {
		t.Run(fmt.Sprint(rustups), func(t *testing.T) {
			t.Parallel()
			b, o := channelBox(t)
			b.from.Components = []string{"cargo", "rust-std-" + otherHost, "rust-docs"}
			_, err := RunFrom(t.Context(), b.opts, b.from)
			testenv.Must(t, err)
			if rustups {
				likeRustup(t, b.path("p"), []dist.Component{{Name: "cargo"}, {Name: "rust-std-" + otherHost}, {Name: "rust-docs"}})
			}
			clean := testenv.Tree(t, b.path("p"))
			testenv.Must(t, os.Remove(b.path("p/bin/cargo")))
			put(t, b.path("p/share/doc/rust/html/index.html"), "damaged")
			testenv.Must(t, os.Remove(b.path("p/lib/rustlib/"+otherHost+"/lib/libstd.rlib")))
			b.from.Components, o.asked = nil, nil
			dry := b.opts
			dry.Repair, dry.DryRun = true, true
			planned, err := RunFrom(t.Context(), dry, b.from)
			testenv.Must(t, err)
			b.opts.Repair = true
			done, err := RunFrom(t.Context(), b.opts, b.from)
			testenv.Must(t, err)
			if diff := cmp.Diff(done, planned); diff != "" {
				t.Errorf("a dry run says something else (-run +dry run):\n%s", diff)
			}
			if len(done.Repaired) != 3 || len(done.NotRepaired) > 0 {
				t.Errorf("got %+v repaired and %q not", done.Repaired, done.NotRepaired)
			}
			after := testenv.Tree(t, b.path("p"))
			delete(after, "share/doc/rust/html.old/")
			delete(after, "share/doc/rust/html.old/index.html")
			delete(after, "lib/rustlib/install.log")
			delete(clean, "lib/rustlib/install.log")
			if diff := cmp.Diff(clean, after); diff != "" {
				t.Errorf("repaired (-clean +got):\n%s", diff)
			}
			for _, line := range o.asked {
				if strings.HasPrefix(line, "rustc-") || strings.HasPrefix(line, "clippy-") || strings.HasPrefix(line, "rust-std-1.95.0-"+thisHost) {
					t.Errorf("asked for %q, of which nothing is installed", line)
				}
			}
		})
	}
}
