package bootstrap

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// counted is a step that counts its runs.
type counted struct {
	name string
	runs *int
}

func (c counted) String() string { return "counted(" + c.name + ")" }

func (c counted) Run(_ context.Context, b *Builder) (int, error) {
	*c.runs++
	b.act("run", c.name, "")
	if c.name == "bad" {
		return 0, errors.New("no luck")
	}
	return *c.runs, nil
}

func TestEnsureRunsEqualStepsOnce(t *testing.T) {
	b := newBuilder(inputs{})
	var n int
	for range 3 {
		got, err := ensure(t.Context(), b, counted{"a", &n})
		if err != nil || got != 1 {
			t.Fatalf("got %d, %v, want 1", got, err)
		}
	}
	if n != 1 {
		t.Errorf("got %d runs, want 1", n)
	}
	if _, err := ensure(t.Context(), b, counted{"bad", &n}); err == nil {
		t.Error("a failing step had no error")
	}
	if _, err := ensure(t.Context(), b, counted{"bad", &n}); err == nil || n != 2 {
		t.Errorf("a failed step: got %d runs and error %v, want 2 runs and the same error", n, err)
	}
	if got := len(b.Plan()); got != 2 {
		t.Errorf("got %d actions, want 2", got)
	}
	if got := b.Plan()[0].Step; got != "counted(a)" {
		t.Errorf("action's step: got %q, want %q", got, "counted(a)")
	}
}

// ring is a step that needs the next of three, the last of which needs the first.
type ring int

func (r ring) String() string { return "ring" + string('0'+rune(r)) }

func (r ring) Run(ctx context.Context, b *Builder) (int, error) {
	return ensure(ctx, b, (r+1)%3)
}

func TestEnsureReportsCycle(t *testing.T) {
	_, err := ensure(t.Context(), newBuilder(inputs{}), ring(0))
	if want := "ring0 -> ring0"; err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, want an error with %q", err, want)
	}
}

func TestEnsureStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var n int
	if _, err := ensure(ctx, newBuilder(inputs{}), counted{"a", &n}); !errors.Is(err, context.Canceled) || n != 0 {
		t.Errorf("got %v after %d runs, want context.Canceled after none", err, n)
	}
}
