package mirror_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/go-cmp/cmp"

	"x.go/dist/mirror"
	"x.go/dist/sign"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// onlyStated is a file that no manifest names, but SHA256SUMS does.
const onlyStated = "acme-1.96.0-" + gnu + ".tar.zst"

// attest writes what `x publish` puts beside each manifest of a day: its provenance and
// the digests of all files of the channel, signed.
func (s *server) attest(t testing.TB, c *manifests.Channel, key *openpgp.Entity) {
	t.Helper()
	dir := "dist/" + c.Date + "/"
	s.signed(t, dir+onlyStated, "of one's own")
	sums := map[string]manifests.Hash{}
	put := func(name string, data []byte) {
		s.write(t, name, string(data))
		var out bytes.Buffer
		testenv.Must(t, openpgp.DetachSign(&out, []*openpgp.Entity{key}, bytes.NewReader(data), nil))
		s.write(t, name+sign.OpenPGPExt, out.String())
		s.write(t, name+sign.MinisignExt, "minisign's")
		sums[path.Base(name)] = manifests.HashOf(data)
	}
	names := []string{"stable", "1.96.0", "1.96"}
	for _, name := range names {
		at := dir + "channel-rust-" + name
		data := val(os.ReadFile(filepath.Join(s.dir, at+".toml")))(t)
		p := val(manifests.NewProvenance(path.Base(at)+".toml", manifests.HashOf(data), c, []manifests.BuiltArchive{}, ""))(t)
		text := val(p.Encode())(t)
		put(at+manifests.ProvenanceExt, text)
		s.write(t, at+manifests.ProvenanceExt+".sha256", string(manifests.FormatChecksum(manifests.HashOf(text), path.Base(at)+manifests.ProvenanceExt)))
	}
	for name, text := range tree(t, s.dir) {
		if base, ok := strings.CutPrefix(name, dir); ok && path.Ext(base) != ".asc" && path.Ext(base) != ".sha256" && path.Ext(base) != ".minisig" {
			sums[base] = manifests.HashOf([]byte(text))
		}
	}
	text := manifests.FormatChecksums(sums)
	for _, name := range names {
		put(dir+"channel-rust-"+name+manifests.ChecksumsSuffix, text)
	}
}

// attested is a server with a release that has statements, signed by a key.
func attested(t testing.TB) (*server, *manifests.Channel, *sign.Keyring) {
	key, ring := newSigner(t, born, 0)
	up := newServer(t)
	c := up.publish(t, release{version: "1.96.0", date: day(1)})
	up.attest(t, c, key)
	up.sign(t, key)
	return up, c, ring
}

// A whole mirror has all that belongs to a channel; a part has what fits it.
func TestStatements(t *testing.T) {
	t.Parallel()
	up, _, ring := attested(t)
	s, dir := openStore(t)
	o := mirror.Options{Source: up.url, Channels: []string{"stable"}, Keyring: ring}
	run(t, s, o)
	want, got := tree(t, up.dir), tree(t, dir)
	for name := range want {
		if base := path.Base(name); path.Dir(name) == "dist" && !strings.HasPrefix(base, "channel-rust-") || strings.Contains(name, ".txt.asc") {
			delete(want, name) // copies without a day
		}
	}
	delete(got, "manifests.txt")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the mirror (-source +mirror):\n%s", diff)
	}
	check := mirror.VerifyOptions{Keyrings: []*sign.Keyring{ring}}
	r := val(mirror.Verify(t.Context(), s, check))(t)
	if !r.Passed || r.Unnamed != 0 || r.Signed != r.Manifests {
		t.Errorf("verifying: got %+v", r)
	}
	again := o
	again.Delete = true
	if r := run(t, s, again); len(r.Files)+len(r.Deleted) > 0 {
		t.Errorf("second run: got %v transferred, %v deleted", r.Files, r.Deleted)
	}
	// What came later comes with the next run, though the manifest is the same.
	sums := "dist/" + day(1) + "/channel-rust-1.96" + manifests.ChecksumsSuffix
	testenv.Must(t, os.Remove(filepath.Join(dir, sums)))
	if r := run(t, s, o); len(r.Files) != 1 || r.Files[0].Name != sums {
		t.Errorf("without one: got %v transferred", r.Files)
	}

	o.Select.Hosts, o.Delete = []targets.Triple{triple(t, gnu)}, true
	run(t, s, o)
	for name := range tree(t, dir) {
		if strings.Contains(name, "SHA256SUMS") || strings.Contains(name, "provenance") || strings.Contains(name, onlyStated) {
			t.Errorf("a part still has %s", name)
		}
	}
	if r := intact(t, s); r.Unnamed != 0 {
		t.Errorf("a part: got %d files that nothing names", r.Unnamed)
	}
}

// A statement that is changed, unsigned or of something else is not mirrored.
func TestWrongStatements(t *testing.T) {
	t.Parallel()
	at := "dist/" + day(1) + "/channel-rust-stable" + manifests.ChecksumsSuffix
	provenance := "dist/" + day(1) + "/channel-rust-stable" + manifests.ProvenanceExt
	remove := func(t *testing.T, s *server, name string) { testenv.Must(t, os.Remove(filepath.Join(s.dir, name))) }
	tests := map[string]struct {
		change    func(*testing.T, *server)
		signed    bool
		want      string // an error
		note      string
		absent    string
		alsoThere string
	}{
		"changed":  {change: func(t *testing.T, s *server) { s.write(t, at, tree(t, s.dir)[at]+strings.Repeat("0", 64)+"  new\n") }, signed: true, want: "did not sign this"},
		"unsigned": {change: func(t *testing.T, s *server) { remove(t, s, at+".asc") }, signed: true, want: at + " is not signed"},
		"another signature": {change: func(t *testing.T, s *server) {
			s.write(t, at+".asc", tree(t, s.dir)["dist/"+day(1)+"/channel-rust-stable.toml.asc"])
		},
			signed: true, want: "did not sign this"},
		"of another channel": {change: func(t *testing.T, s *server) {
			s.write(t, provenance, tree(t, s.dir)["dist/"+day(1)+"/channel-rust-1.96"+manifests.ProvenanceExt])
		}, note: `it is not of the manifest "channel-rust-stable.toml" beside it`, absent: provenance, alsoThere: "dist/" + day(1) + "/channel-rust-1.96" + manifests.ProvenanceExt},
		"names what is gone": {change: func(t *testing.T, s *server) { remove(t, s, "dist/"+day(1)+"/"+onlyStated) }, note: `it names "` + onlyStated + `"`, absent: at, alsoThere: provenance},
		"names another channel": {change: func(t *testing.T, s *server) {
			s.write(t, at, tree(t, s.dir)[at]+strings.Repeat("0", 64)+"  channel-rust-nightly.toml\n")
		}, note: `it names "channel-rust-nightly.toml", which is not mirrored`, absent: at, alsoThere: provenance},
		"malformed": {change: func(t *testing.T, s *server) { s.write(t, at, "?") }, note: "parsing SHA256SUMS", absent: at, alsoThere: provenance},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up, _, ring := attested(t)
			tt.change(t, up)
			s, dir := openStore(t)
			o := mirror.Options{Source: up.url, Channels: []string{"stable"}}
			if tt.signed {
				o.Keyring = ring
			}
			r, err := mirror.Run(t.Context(), s, o)
			if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error with %q", err, tt.want)
			}
			if err != nil {
				if has(t, dir, "") {
					t.Errorf("it has written %d files", len(tree(t, dir)))
				}
				return
			}
			if text := strings.Join(r.Notes, "\n"); !strings.Contains(text, tt.note) {
				t.Errorf("got notes %q, want one with %q", text, tt.note)
			}
			wantNames(t, dir, false, tt.absent)
			wantNames(t, dir, true, tt.alsoThere)
			intact(t, s)
		})
	}
}

// A store whose statement names what is not there, or other digests, is not right.
func TestVerifyStatements(t *testing.T) {
	t.Parallel()
	up, c, ring := attested(t)
	s, dir := openStore(t)
	run(t, s, mirror.Options{Source: up.url, Channels: []string{"stable"}})
	at := "dist/" + c.Date + "/channel-rust-stable"
	write := func(name, text string) { testenv.Must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)) }
	before := tree(t, dir)
	for name, tt := range map[string]struct{ file, text, kind, want string }{
		"missing file":   {at + manifests.ChecksumsSuffix, before[at+manifests.ChecksumsSuffix] + strings.Repeat("0", 64) + "  new\n", "missing", "SHA256SUMS names it"},
		"other digest":   {at + manifests.ChecksumsSuffix, strings.Repeat("0", 64) + "  channel-rust-stable.toml\n", "statement", "want"},
		"other manifest": {at + manifests.ProvenanceExt, before["dist/"+c.Date+"/channel-rust-1.96"+manifests.ProvenanceExt], "statement", "does not name"},
		"signature":      {at + manifests.ChecksumsSuffix + ".asc", before[at+manifests.ProvenanceExt+".asc"], "signature", "did not sign"},
		"damaged":        {"dist/" + c.Date + "/" + onlyStated, "damaged", "digest", "want"},
	} {
		write(tt.file, tt.text)
		r := val(mirror.Verify(t.Context(), s, mirror.VerifyOptions{Keyrings: []*sign.Keyring{ring}}))(t)
		found := false
		for _, p := range r.Problems {
			found = found || p.Kind == tt.kind && strings.Contains(p.Text, tt.want)
		}
		if r.Passed || !found {
			t.Errorf("%s: got %v, want one of kind %s with %q", name, r.Problems, tt.kind, tt.want)
		}
		write(tt.file, before[tt.file])
	}
}

// All that belongs to a channel goes with its day.
func TestPruneStatements(t *testing.T) {
	t.Parallel()
	up, c, _ := attested(t)
	up.publish(t, release{version: "1.97.0", date: day(2)})
	s, dir := openStore(t)
	run(t, s, mirror.Options{Source: up.url, Channels: []string{"1.96.0", "stable"}, Undated: true})
	wantNames(t, dir, true, "dist/"+c.Date+"/channel-rust-1.96.0"+manifests.ChecksumsSuffix, "dist/"+onlyStated)
	plan := val(mirror.PlanPrune(t.Context(), s, mirror.Retention{Newest: 1}))(t)
	last := ""
	testenv.Must(t, plan.Run(t.Context(), func(name string) {
		if strings.Contains(name, "SHA256SUMS") && strings.HasSuffix(last, ".toml") {
			t.Errorf("%s goes after %s, which it names", name, last)
		}
		last = name
	}))
	wantNames(t, dir, false, "dist/"+c.Date, "dist/"+onlyStated)
	intact(t, s)
}
