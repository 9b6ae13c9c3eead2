package mirror_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/mirror"
	"x.go/dist/store"
	"x.go/tests/testenv"
)

// pruneable returns the place of a store with nightlies on days 20 to 27, betas on 21
// and 25, and stable releases 1.94 to 1.96 on 5, 12 and 22.
func pruneable(t testing.TB) string {
	up := newServer(t)
	for i := range 3 {
		up.publish(t, release{version: []string{"1.94.0", "1.95.0", "1.96.0"}[i], date: day([]int{5, 12, 22}[i]), hosts: []string{gnu}})
	}
	for i := range 2 {
		up.publish(t, release{version: []string{"1.97.0-beta.1", "1.97.0-beta.2"}[i], date: day([]int{21, 25}[i]), hosts: []string{gnu}})
	}
	for i := 20; i < 28; i++ {
		up.publish(t, release{version: "1.98.0-nightly", date: day(i), hosts: []string{gnu}})
	}
	up.rustup(t, "1.29.0", gnu)
	up.write(t, "dist/"+day(12)+"/notes.md", "mine")
	up.write(t, "README", "mine")
	for _, name := range []string{"rustc-1.94.0-", "rustc-nightly-"} {
		up.signed(t, "dist/"+name+gnu+".tar.xz", "copy")
	}
	var lines strings.Builder
	for name := range tree(t, up.dir) {
		if strings.HasSuffix(name, ".toml") && strings.Contains(name, "/2026-") {
			lines.WriteString("rust.example.org/" + name + "\n")
		}
	}
	up.write(t, "manifests.txt", lines.String())
	return up.dir
}

func dates(days []mirror.Day) []string {
	out := []string{}
	for _, d := range days {
		out = append(out, d.Date)
	}
	return out
}

func TestPrunePlans(t *testing.T) {
	t.Parallel()
	s := val(store.Open(t.Context(), pruneable(t)))(t)
	defer s.Close()
	now := time.Date(2026, 1, 29, 3, 0, 0, 0, time.UTC) // day 28
	tests := map[string]struct {
		r    mirror.Retention
		kept []int
	}{
		// 22, 25 and 27 are those of the channels themselves.
		"days":               {mirror.Retention{Days: 3, Now: now}, []int{22, 25, 26, 27}},
		"newest":             {mirror.Retention{Newest: 2}, []int{12, 21, 22, 25, 26, 27}},
		"newest of all":      {mirror.Retention{Newest: 1}, []int{22, 25, 27}},
		"version":            {mirror.Retention{Versions: []string{"1.94.0"}}, []int{5, 22, 25, 27}},
		"version and day":    {mirror.Retention{Versions: []string{"1.95", "nightly-" + day(20)}}, []int{12, 20, 22, 25, 27}},
		"rules add":          {mirror.Retention{Days: 2, Now: now, Versions: []string{"1.95.0"}}, []int{12, 22, 25, 27}},
		"more than there is": {mirror.Retention{Days: 1000, Now: now}, []int{5, 12, 20, 21, 22, 23, 24, 25, 26, 27}},
	}
	for name, tt := range tests {
		plan := val(mirror.PlanPrune(t.Context(), s, tt.r))(t)
		want := []string{}
		for _, n := range tt.kept {
			want = append(want, day(n))
		}
		if diff := cmp.Diff(want, dates(plan.Kept)); diff != "" {
			t.Errorf("%s: kept days (-want +got):\n%s", name, diff)
		}
	}
	if _, err := mirror.PlanPrune(t.Context(), s, mirror.Retention{}); err == nil || !strings.Contains(err.Error(), "no rule") {
		t.Errorf("without a rule: got %v", err)
	}
}

// What is named stays, whatever a killed run leaves; files of others stay, too. With a
// version that goes, so do its undated manifests (panamax#133).
func TestPruneRuns(t *testing.T) {
	t.Parallel()
	dir := pruneable(t)
	s := val(store.Open(t.Context(), dir))(t)
	defer s.Close()
	rule := mirror.Retention{Newest: 1, Versions: []string{"1.94.0"}}
	plan := val(mirror.PlanPrune(t.Context(), s, rule))(t)
	if got := tree(t, dir); len(got) == 0 || !has(t, dir, "dist/"+day(12)) {
		t.Error("planning has deleted something")
	}
	// The first manifest to go is an undated one's checksum; all manifests go before files.
	if len(plan.Manifests) == 0 || !strings.HasSuffix(plan.Manifests[0], ".toml.sha256") || strings.Count(plan.Manifests[0], "/") != 1 {
		t.Errorf("got first %.3q, want the checksum of an undated manifest", plan.Manifests)
	}
	// After each deletion all that is named is there, also if the run ends then.
	count := 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		err := plan.Run(ctx, func(string) {
			if count++; count%40 == 0 {
				cancel()
			}
		})
		cancel()
		r := val(mirror.Verify(t.Context(), s, mirror.VerifyOptions{Listing: true}))(t)
		for _, p := range r.Problems {
			if p.Kind != "checksum" && p.Kind != "list" {
				t.Errorf("after %d deletions: got %+v", count, p)
			}
		}
		if plan = val(mirror.PlanPrune(t.Context(), s, rule))(t); err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if len(plan.Manifests)+len(plan.Files) > 0 {
		t.Errorf("a second plan: got %q and %q left", plan.Manifests, plan.Files)
	}
	intact(t, s)
	wantNames(t, dir, true, "dist/"+day(5)+"/channel-rust-1.94.0.toml", "dist/channel-rust-1.94.toml", "dist/channel-rust-1.96.0.toml", "dist/"+day(27)+"/channel-rust-nightly.toml",
		"dist/"+day(12)+"/notes.md", "README", "rustup/dist/"+gnu+"/rustup-init", "dist/rustc-1.94.0-"+gnu+".tar.xz", "dist/rustc-nightly-"+gnu+".tar.xz")
	wantNames(t, dir, false, "dist/"+day(26), "dist/"+day(12)+"/channel-rust-stable.toml", "dist/channel-rust-1.95.0.toml", "dist/channel-rust-1.95.toml.asc", "dist/channel-rust-1.95.0-date.txt.sha256",
		"dist/"+day(12)+"/rustc-1.95.0-"+gnu+".tar.xz", "dist/channel-rust-1.97.0-beta.1.toml")
	if list := tree(t, dir)["manifests.txt"]; strings.Contains(list, day(26)) || !strings.Contains(list, "rust.example.org/dist/"+day(27)+"/channel-rust-nightly.toml\n") {
		t.Errorf("manifests.txt: got %q", list)
	}
}

// A channel that moves while somebody reads the plan makes it void; a manifest that
// cannot be read could name anything.
func TestPruneRefuses(t *testing.T) {
	t.Parallel()
	dir := pruneable(t)
	s := val(store.Open(t.Context(), dir))(t)
	defer s.Close()
	plan := val(mirror.PlanPrune(t.Context(), s, mirror.Retention{Newest: 1}))(t)
	old := val(os.ReadFile(filepath.Join(dir, "dist", day(20), "channel-rust-nightly.toml")))(t)
	file := filepath.Join(dir, "dist", "channel-rust-nightly.toml")
	testenv.Must(t, os.WriteFile(file, old, 0o644))
	before := tree(t, dir)
	if err := plan.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("after a change: got %v", err)
	}
	testenv.Must(t, os.WriteFile(file, []byte("broken"), 0o644))
	if _, err := mirror.PlanPrune(t.Context(), s, mirror.Retention{Newest: 1}); err == nil || !strings.Contains(err.Error(), "channel-rust-nightly.toml") {
		t.Errorf("a broken manifest: got %v", err)
	}
	testenv.Must(t, os.WriteFile(file, old, 0o644))
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("it has deleted something (-before +after):\n%s", diff)
	}
}
