package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x.go/bootstrap/bench"
	"x.go/dist"
	"x.go/dist/xz"
)

// benchSession is what all inputs share.
type benchSession struct {
	self     string // path of this program
	dir      string // of temporary files
	jobs     int
	env      []string
	peers    []bench.Coder
	decoders []bench.Coder
	report   bench.Report
}

func (a *app) newBenchSession(f benchFlags) (*benchSession, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	s := &benchSession{self: self, jobs: a.flags.jobs, env: benchEnv(a.Env)}
	if s.jobs == 0 {
		s.jobs = runtime.GOMAXPROCS(0)
	}
	s.report = bench.Report{
		Schema: bench.SchemaVersion, Machine: bench.ThisMachine(), Jobs: s.jobs, Rounds: f.rounds, Results: []bench.Result{},
	}
	peers, missing := bench.Encoders(s.jobs, exec.LookPath)
	wanted := strings.Split(f.peers, ",")
	for _, tool := range missing {
		if f.peers == "" && f.only == "" || slices.Contains(wanted, tool) {
			a.progressf("x: note: %s is not installed: leaving it out", tool)
		}
	}
	s.peers = peers
	s.decoders, _ = bench.Decoders(s.jobs, exec.LookPath)
	if a.flags.dryRun {
		return s, nil
	}
	if s.dir, err = os.MkdirTemp("", "x-bench-"); err != nil {
		return nil, fmt.Errorf("creating a directory for outputs: %w", err)
	}
	return s, nil
}

// programs describes x and the peers that take part.
func (s *benchSession) programs(ctx context.Context, keep func(bench.Coder) bool) []bench.Program {
	v := buildVersion()
	x := bench.Program{Tool: "x", Version: strings.TrimSpace(v.Version + " " + v.Commit)}
	peers := slices.DeleteFunc(slices.Clone(s.peers), func(c bench.Coder) bool { return !keep(c) })
	return append([]bench.Program{x}, bench.Programs(ctx, peers, s.env)...)
}

// benchEnv is the environment without what changes how programs compress, so that
// two people who compare reports have measured the same.
func benchEnv(env []string) []string {
	drop := []string{
		"XZ_OPT", "XZ_DEFAULTS", "GZIP", "PIGZ", "ZSTD_CLEVEL", "ZSTD_NBTHREADS",
		"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG",
	}
	return slices.DeleteFunc(slices.Clone(env), func(setting string) bool {
		key, _, _ := strings.Cut(setting, "=")
		return slices.Contains(drop, key)
	})
}

// encoders returns x's coders and the peers. bcj adds one.
func (s *benchSession) encoders(bcj xz.BCJ) []bench.Coder {
	var out []bench.Coder
	for _, format := range []dist.Format{dist.XZ, dist.Zst, dist.GZ} {
		for _, profile := range []dist.Profile{dist.Fast, dist.Balanced, dist.Best} {
			out = append(out, s.ours(format, profile, xz.BCJNone))
			if format == dist.XZ && profile == dist.Best && bcj != xz.BCJNone {
				out = append(out, s.ours(format, profile, bcj))
			}
		}
	}
	return append(out, s.peers...)
}

// ours is one of x's own encoders.
func (s *benchSession) ours(format dist.Format, profile dist.Profile, bcj xz.BCJ) bench.Coder {
	c := bench.Coder{
		Tool: "x " + string(format), Level: string(profile), Format: string(format), Ours: true, Program: s.self,
		Args: []string{"bench", "coder", "--jobs", fmt.Sprint(s.jobs), "--format", string(format), "--profile", string(profile)},
	}
	if bcj != xz.BCJNone {
		c.Level += "+bcj"
		c.Args = append(c.Args, "--bcj", bcjNames[bcj])
	}
	c.Args = append(c.Args, bench.In)
	return c
}

// decoder is x's own decoder.
func (s *benchSession) decoder(format dist.Format) bench.Coder {
	return bench.Coder{
		Tool: "x", Level: "decoder", Format: string(format), Ours: true, Program: s.self,
		Args: []string{"bench", "coder", "--jobs", fmt.Sprint(s.jobs), "--decode", bench.In},
	}
}

// peerTools are the programs that x is compared with, installed or not.
func peerTools() []string {
	_, all := bench.Encoders(1, func(string) (string, error) { return "", errors.ErrUnsupported })
	return all
}

// selection reads --peers, --only and --baseline, and returns which encoders to
// run.
func (s *benchSession) selection(cmd *cobra.Command, f benchFlags) (func(bench.Coder) bool, error) {
	var peers, only []string
	if f.peers != "" {
		peers = strings.Split(f.peers, ",")
	}
	if f.only != "" {
		only = strings.Split(f.only, ",")
	}
	for _, p := range peers {
		if !slices.Contains(peerTools(), p) {
			return nil, usagef("reading --peers: got %q, want %s", p, strings.Join(peerTools(), ", "))
		}
	}
	filter := xz.BCJNone
	if f.bcj {
		filter = xz.BCJX86
	}
	all := s.encoders(filter)
	for _, word := range only {
		if !slices.ContainsFunc(all, func(c bench.Coder) bool { return isNamed(c, word) }) {
			return nil, usagef("reading --only: got %q, want x, a program or a row of this table: %s", word, coderNames(all))
		}
	}
	keep := func(c bench.Coder) bool {
		return (peers == nil || c.Ours || slices.Contains(peers, c.Tool)) &&
			(only == nil || slices.ContainsFunc(only, func(word string) bool { return isNamed(c, word) }))
	}
	kept := slices.DeleteFunc(all, func(c bench.Coder) bool { return !keep(c) })
	switch has := slices.ContainsFunc(kept, func(c bench.Coder) bool { return c.Name() == f.baseline }); {
	case has:
		s.report.Baseline = f.baseline
	case cmd.Flags().Changed("baseline"):
		return nil, usagef("reading --baseline: got %q, want a row of this run: %s", f.baseline, coderNames(kept))
	case len(kept) == 0:
		return nil, usagef("nothing to run: --peers and --only leave no row")
	default: // a peer, if there is one
		s.report.Baseline = kept[max(slices.IndexFunc(kept, func(c bench.Coder) bool { return !c.Ours }), 0)].Name()
	}
	return keep, nil
}

// isNamed reports whether a word of --only is about c.
func isNamed(c bench.Coder, word string) bool {
	return word == c.Name() || word == c.Tool || word == "x" && c.Ours
}

func coderNames(coders []bench.Coder) string {
	var names []string
	for _, c := range coders {
		names = append(names, c.Name())
	}
	return strings.Join(names, ", ")
}
