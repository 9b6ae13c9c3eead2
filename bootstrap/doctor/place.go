package doctor

import (
	"slices"
	"strings"
	"sync"

	"x.go/targets"
	"x.go/targets/link"
)

// place is what remedies are for: a target and a release, as far as the log or the
// caller tells, else the newest stable compiler of x86_64-unknown-linux-gnu.
type place struct {
	target  targets.Triple
	release targets.Release
	off     []link.Way // to turn LLD off
}

func newPlace(d *diagnosis) *place {
	p := &place{target: d.options.Target, release: d.options.Release}
	host := targets.HostOf("linux", "amd64")
	for _, t := range []targets.Triple{d.target, host} {
		if p.target.IsZero() {
			p.target = t
		}
	}
	registry := builtin()
	if p.release.IsZero() {
		p.release = d.release
	}
	if p.release.IsZero() {
		if newest, ok := registry.Newest("stable"); ok {
			p.release = newest.Info().Release
		}
	}
	if len(d.found.list) > 0 { // most logs of a corpus have nothing that needs a remedy
		p.off = waysOff(registry, p.release, host, p.target)
	}
	return p
}

// builtin reads the facts of all releases once: a corpus asks for each log.
var builtin = sync.OnceValue(targets.Builtin)

// waysOff asks which flags turn LLD off. Where LLD is no default, somebody has asked
// for it.
func waysOff(registry targets.Registry, r targets.Release, host, target targets.Triple) []link.Way {
	s, _, err := registry.At(r)
	if err != nil {
		return nil
	}
	c := targets.Compiler{Release: r, Host: host, LLDDefault: targets.DefaultLLD(r, host)}
	q, err := link.NewQuery(s, c, target, nil)
	if err != nil {
		return nil
	}
	if !link.Decide(q).UsesLLD() {
		q.Args = []string{"-Clink-arg=-fuse-ld=lld"}
	}
	var out []link.Way
	for _, w := range link.Explain(q).Ways {
		if w.Turns == "off" && len(w.Flags) == 1 && offFlags[w.Flags[0]] {
			if strings.HasPrefix(w.Flags[0], "-Clinker-features") && r.Compare(featuresSince) < 0 {
				w.Stable, w.Refusal = false, "not stable before "+featuresSince.String()
			}
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b link.Way) int { return compareBool(b.Stable, a.Stable) })
	return out
}

// offFlags are the ways worth a remedy: the others change more than the linker.
var offFlags = map[string]bool{"-Clinker-features=-lld": true, "-Clink-arg=-fuse-ld=bfd": true}

// featuresSince is the first release with a stable -Clinker-features=-lld
// (rust-lang/rust#140525).
var featuresSince = func() targets.Release {
	r, err := targets.ParseRelease("1.90.0")
	if err != nil {
		panic(err)
	}
	return r
}()

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// complete says what the cause of a finding means, and what to do about it.
func (p *place) complete(f *Finding) {
	i := slices.IndexFunc(causeRows, func(r causeRow) bool { return r.cause == f.Cause })
	row := causeRows[i] // TestCauses: each has one
	f.Summary, f.Sources = row.summary, row.sources
	f.Notes = append(f.Notes, row.notes...)
	for _, r := range row.remedies {
		if !r.optOut {
			f.Remedies = append(f.Remedies, Remedy{r.option, true, r.effect})
			continue
		}
		for _, w := range p.off {
			effect := r.effect
			if !w.Stable {
				effect += "; needs -Zunstable-options here: " + w.Refusal
			}
			f.Remedies = append(f.Remedies, Remedy{strings.Join(w.Flags, " "), w.Stable, effect})
		}
	}
}
