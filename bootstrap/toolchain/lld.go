package toolchain

import (
	"context"
	"os"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/programs"
	"x.go/dist"
	"x.go/targets"
)

// LLDFacts returns what [lld.Decide] wants to know of the toolchain and of this
// machine. The configuration tells whether the compiler has to be asked.
func (tc Toolchain) LLDFacts(ctx context.Context, cfg config.Config) (lld.Facts, error) {
	host, exe := tc.Host.String(), tc.Spec.ExeSuffix
	facts := lld.Toolchain{
		Host: tc.Host, Linux: tc.Spec.OS == "linux", Baked: tc.BakedLLD(), RustLLD: tc.has(dist.LLDFile(host, exe)), Wrappers: true,
		NoJobserver: !programs.HasJobserver(tc.Spec),
	}
	for _, w := range dist.WrapperFiles(host, exe) {
		facts.Wrappers = facts.Wrappers && tc.has(w)
	}
	if facts.Wrappers {
		// The shim of an earlier build does not run LLD.
		built, _, err := tc.BuiltBy()
		if err != nil {
			return lld.Facts{}, err
		}
		facts.Wrappers = lld.Recorded(built).Wrapper != lld.WrapperShim
	}
	if lld.NeedsOptOut(cfg, facts.Baked) {
		facts.OptOut = tc.optsOut(ctx)
		if ctx.Err() != nil {
			return lld.Facts{}, ctx.Err()
		}
	}
	return lld.Facts{
		Release: tc.Version.Release, Channel: tc.Version.Channel(), Toolchain: &facts,
		CanBuild: func(targets.Triple) error { return programs.CanBuild(tc.Spec) }, // only its own host is asked for
	}, nil
}

// optsOut reports whether the compiler takes -Clinker-features=-lld for its host. One
// that does not run here takes it if its release does: it is stable on one target, since
// the release that made LLD its default (rust-lang/rust#140525).
func (tc Toolchain) optsOut(ctx context.Context) bool {
	if tc.Unrun != nil {
		return targets.DefaultLLD(tc.Version.Release, tc.Host)
	}
	_, err := tc.ask(ctx, tc.Rustc, "-Clinker-features=-lld", "--print", "cfg")
	return err == nil
}

// has reports whether the sysroot has the file name.
func (tc Toolchain) has(name string) bool {
	fi, err := os.Stat(tc.Path(name))
	return err == nil && fi.Mode().IsRegular()
}
