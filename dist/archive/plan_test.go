package archive

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/tests/testenv"
)

// planned returns the plan of a stream of the given size, which is never made.
func planned(t *testing.T, w Writer, size int64) (Plan, error) {
	t.Helper()
	j, err := w.PlanStreams([]Stream{{Name: "p-1.0", Size: size}})
	if err != nil {
		return Plan{}, err
	}
	return j.Plans()[0], nil
}

func TestPlan(t *testing.T) {
	const size = 400 << 20
	got, err := planned(t, Writer{Formats: []Format{GZ, XZ, Zst}, Profile: Best, Jobs: 4}, size)
	must(t, err)
	want := Plan{
		Package: "p-1.0", Size: size, Workers: 4, Memory: got.Memory,
		Archives: []FormatPlan{
			{Name: "p-1.0.tar.gz", Format: GZ, Dictionary: 32 << 10, DecoderMemory: 64 << 10,
				Settings: Settings{Level: "9", Dictionary: 32 << 10}},
			{Name: "p-1.0.tar.xz", Format: XZ, Dictionary: 128 << 20, Block: size, DecoderMemory: 128<<20 + 64<<10,
				Settings: Settings{Level: "best", Dictionary: 128 << 20, Block: size, Span: got.Archives[1].Settings.Span, Filter: "none"}},
			{Name: "p-1.0.tar.zst", Format: Zst, Dictionary: 128 << 20, DecoderMemory: 128<<20 + 512<<10,
				Settings: Settings{Level: "best", Dictionary: 128 << 20, Span: got.Archives[2].Settings.Span}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPlanFits lowers the limit step by step: jobs go first, then blocks, then
// dictionaries and windows, and then there is an error.
func TestPlanFits(t *testing.T) {
	const size = 400 << 20
	for _, tt := range []struct {
		formats  []Format
		smallest int64 // what fits at least, in bytes
	}{
		{[]Format{GZ, XZ}, 96 << 20},
		{[]Format{Zst}, 88 << 20},
		{[]Format{XZ, Zst}, 192 << 20},
	} {
		both := slices.Contains(tt.formats, XZ) && slices.Contains(tt.formats, Zst)
		w := Writer{Formats: tt.formats, Profile: Best, Jobs: 4}
		last, err := planned(t, w, size)
		must(t, err)
		for limit := last.Memory; ; limit -= 1 << 20 {
			w.MaxMemory = limit
			p, err := planned(t, w, size)
			if err != nil {
				if limit > tt.smallest || !strings.Contains(err.Error(), `planning archives of "p-1.0": `) || !strings.Contains(err.Error(), "raise the limit") {
					t.Errorf("%q in %d bytes: got error %v", tt.formats, limit, err)
				}
				break
			}
			if p.Memory > limit {
				t.Fatalf("%q in %d bytes: got %+v", tt.formats, limit, p)
			}
			for i, a := range p.Archives {
				// What zst gives up, xz may have; alone each gets less and less.
				before := last.Archives[i]
				if !both && (a.Dictionary > before.Dictionary || a.Block > before.Block || before.Lowered && !a.Lowered) {
					t.Fatalf("%q in %d bytes: got %+v, more than with a higher limit: %+v", tt.formats, limit, p, last)
				}
				if a.Format == XZ && a.Lowered && p.Workers > 1 {
					t.Errorf("%q in %d bytes: lowered while there are %d workers", tt.formats, limit, p.Workers)
				}
			}
			last = p
		}
		for _, a := range last.Archives {
			if a.Format != GZ && (!a.Lowered || a.Dictionary != 1<<20) {
				t.Errorf("%q: the smallest plan is %+v", tt.formats, last)
			}
		}
	}
}

// TestPlanSmall says that a small archive needs little memory to unpack.
func TestPlanSmall(t *testing.T) {
	p, err := planned(t, Writer{Formats: []Format{XZ, Zst}, Profile: Best, Jobs: 8}, 5_000_000)
	must(t, err)
	if x, z := p.Archives[0], p.Archives[1]; x.Dictionary != 6<<20 || z.Dictionary != 8<<20 || x.Block != 5_000_000 {
		t.Errorf("got %+v", p)
	}
}

// TestPlanOfPackages compares plans with what is written, and what zstd and xz
// read from it.
func TestPlanOfPackages(t *testing.T) {
	pkgs := []dist.Package{bulkPackage(t, "big", 3<<20), samplePackage(t)}
	w := Writer{Formats: []Format{GZ, XZ, Zst}, Profile: Best, MaxMemory: 400 << 20, Jobs: 2}
	job, err := w.Plan(pkgs)
	must(t, err)
	plans := job.Plans()
	if peak := w.PeakMemory(plans); peak < plans[0].Memory || peak > w.MaxMemory {
		t.Errorf("got a peak of %d bytes, for %d and %d in %d", peak, plans[0].Memory, plans[1].Memory, w.MaxMemory)
	}
	artifacts, err := job.writeTo(t.Context(), t.TempDir())
	must(t, err)
	for i, a := range artifacts {
		p := plans[i/3].Archives[i%3]
		if p.Name != a.Name || p.DecoderMemory != a.DecoderMemory || p.Lowered {
			t.Errorf("got %+v, planned as %+v", a, p)
		}
		data, err := os.ReadFile(a.Path)
		must(t, err)
		c, err := InspectContainer(bytes.NewReader(data), a.Size, a.Format)
		must(t, err)
		if c.Memory > p.Dictionary || a.Format != GZ && c.Size != plans[i/3].Size {
			t.Errorf("%s: got %+v, planned %+v", a.Name, c, plans[i/3])
		}
	}
	list, err := exec.Command(testenv.Need(t, "zstd"), "-lv", artifacts[2].Path).Output()
	if err != nil || !strings.Contains(string(list), "Window Size: 4.00 MiB") || !strings.Contains(string(list), "Decompressed Size: 3.0") {
		t.Errorf("zstd -lv: got %v:\n%s", err, list)
	}
}

// lowering returns the highest limit, in MiB steps, at which the dictionary of xz
// is lowered.
func lowering(t *testing.T, w Writer, size int64) int64 {
	t.Helper()
	p, err := planned(t, w, size)
	must(t, err)
	for w.MaxMemory = p.Memory; ; w.MaxMemory -= 1 << 20 {
		p, err := planned(t, w, size)
		must(t, err)
		for _, a := range p.Archives {
			if a.Format == XZ && a.Lowered {
				return w.MaxMemory
			}
		}
	}
}

// TestLoweredBytes says that bytes do not depend on the number of jobs where a
// limit lowers dictionaries, and that every format can be read.
func TestLoweredBytes(t *testing.T) {
	p := bulkPackage(t, "p", 9<<20)
	limit := lowering(t, Writer{Formats: []Format{XZ, Zst}}, 9<<20)
	var all []map[string]string
	for _, w := range []Writer{{Jobs: 1}, {Jobs: 3}} {
		w.Formats, w.MaxMemory = []Format{XZ, Zst}, limit
		job, err := w.Plan([]dist.Package{p})
		must(t, err)
		if plans := job.Plans(); !plans[0].Archives[0].Lowered {
			t.Fatalf("nothing is lowered: %+v", plans)
		}
		dir := t.TempDir()
		_, err = job.writeTo(t.Context(), dir)
		must(t, err)
		all = append(all, digests(t, dir))
	}
	if diff := cmp.Diff(all[0], all[1]); diff != "" {
		t.Error("bytes differ")
	}
}

func TestPlanErrors(t *testing.T) {
	dir := t.TempDir()
	p := bulkPackage(t, "p", 1000)
	for _, tt := range []struct {
		w    Writer
		want string
	}{
		{Writer{MaxMemory: 1 << 20}, `planning archives of "p-1.0": compressing within 1048576 bytes of memory: the limit is too low: configuring xz: one worker needs `},
		{Writer{MaxMemory: 1 << 20, Formats: []Format{GZ, Zst}}, `planning archives of "p-1.0": compressing within 1048576 bytes of memory: the limit is too low: want `},
		{Writer{Jobs: -1}, "got -1 jobs"},
	} {
		_, planErr := tt.w.Plan([]dist.Package{p})
		_, writeErr := tt.w.Write(t.Context(), dir+"/out", p)
		for _, err := range []error{planErr, writeErr} {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
		}
	}
	if left := list(t, dir); len(left) > 0 {
		t.Errorf("got files %q after an error before work", left)
	}
	if job, err := (Writer{Profile: NoOp}).Plan([]dist.Package{p}); err != nil || len(job.Plans()) > 0 {
		t.Errorf("no-op: got %v, %v", job, err)
	}
}
