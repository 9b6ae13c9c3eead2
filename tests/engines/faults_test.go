package engines

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// keys returns the keys of the outputs of a plan, by task.
func keys(t *testing.T, dir string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "plan.json"))
	testenv.Must(t, err)
	var plan struct {
		Tasks []struct{ Outputs []struct{ Key string } }
	}
	testenv.Must(t, json.Unmarshal(data, &plan))
	for _, task := range plan.Tasks {
		out = append(out, task.Outputs[0].Key)
	}
	return out
}

// TestBucket does a plan with a store in S3, and damages what is there.
func TestBucket(t *testing.T) {
	t.Parallel()
	dir := planned(t, 2)
	b := newBucket(t)
	all := keys(t, dir)
	task := func(n string, more ...string) runx.Result {
		return runx.Must(t, dir, credentials, append([]string{"recompress", "task", "--plan", "plan.json", "--store", b.url, "--task", n}, more...)...)
	}
	collect := func() runx.Result {
		return runx.X(t, dir, credentials, "recompress", "collect", "--plan", "plan.json", "--store", b.url, "--out", "release")
	}
	task("0")
	b.asked()
	task("0")
	if diff := cmp.Diff([]string{"HEAD kept/" + all[0]}, b.asked()); diff != "" {
		t.Errorf("what is there costs one request (-want +got):\n%s", diff)
	}
	if r := collect(); r.Code != 1 || !strings.Contains(r.Stderr, `collecting "a`) || !strings.Contains(r.Stderr, "task 1 is not done: it is not in store") {
		t.Errorf("got %+v, want what is missing", r)
	}
	task("1")
	key, before := b.damage(t, all[0])
	if r := task("0", "--check"); !strings.Contains(r.Stderr, "is damaged: got sha256") || b.get(key) != before {
		t.Errorf("got %+v and the same bytes: %v, want the damage told and mended", r, b.get(key) == before)
	}
	b.damage(t, all[1])
	if r := collect(); r.Code != 1 || !strings.Contains(r.Stderr, "it was removed: do task 1 again") {
		t.Errorf("got %+v, want the damaged task", r)
	}
	if names := testenv.List(t, filepath.Join(dir, "release")); len(names) != 2 {
		t.Errorf("got %q, want one archive and its sum", names)
	}
	task("1")
	if r := collect(); r.Code != 0 {
		t.Errorf("got %+v", r)
	}
	compare(t, dir)
}

// TestBucketRefuses has a store that cannot be reached, read or written.
func TestBucketRefuses(t *testing.T) {
	t.Parallel()
	dir := planned(t, 2)
	b := newBucket(t)
	key := "kept/" + keys(t, dir)[0]
	for _, tt := range []struct {
		name, store string
		refuse      func(method, key string) (int, string)
		want        string
	}{
		{"unreachable", "s3://rust/kept?use_path_style=true&endpoint=http://127.0.0.1:1", nil, "connection refused"},
		{"forbidden", b.url, func(string, string) (int, string) { return http.StatusForbidden, "AccessDenied" }, "the credentials do not allow it"},
		{"read only", b.url, func(method, _ string) (int, string) {
			if method == http.MethodPut {
				return http.StatusForbidden, "AccessDenied"
			}
			return 0, ""
		}, `AccessDenied: "refused"`},
		{"full", b.url, func(method, at string) (int, string) {
			if method == http.MethodPut && at == key {
				return http.StatusInsufficientStorage, "XQuotaExceeded"
			}
			return 0, ""
		}, `XQuotaExceeded: "refused"`},
	} {
		b.set(tt.refuse)
		r := runx.X(t, dir, append(credentials, "AWS_MAX_ATTEMPTS=1"), "recompress", "task", "-q", "--plan", "plan.json", "--store", tt.store, "--task", "0")
		if r.Code != 1 || !strings.Contains(r.Stderr, tt.want) || !strings.Contains(r.Stderr, `doing task 0, "a`) || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%s: got %+v, want %q", tt.name, r, tt.want)
		}
		if b.get(key) != "" {
			t.Errorf("%s: it is in the store", tt.name)
		}
		if tt.name == "unreachable" || tt.name == "forbidden" {
			r = runx.X(t, dir, append(credentials, "AWS_MAX_ATTEMPTS=1"), "recompress", "collect", "--plan", "plan.json", "--store", tt.store, "--out", "release")
			if r.Code != 1 || !strings.Contains(r.Stderr, tt.want) || strings.Count(r.Stderr, "\n") != 1 {
				t.Errorf("%s: collect: got %+v, want %q", tt.name, r, tt.want)
			}
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "release")); err == nil {
		t.Error("a release was begun")
	}
	b.set(nil)
	for _, n := range []string{"0", "1"} {
		runx.Must(t, dir, credentials, "recompress", "task", "--plan", "plan.json", "--store", b.url, "--task", n)
	}
	runx.Must(t, dir, credentials, "recompress", "collect", "--plan", "plan.json", "--store", b.url, "--out", "release")
	compare(t, dir)
}
