package bootstrap

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"maps"
	"path"
	"slices"

	"x.go/bootstrap/lld"
	"x.go/bootstrap/programs"
	"x.go/dist"
	"x.go/manifests"
)

// Record returns the build record of the toolchain that goes out. In a dry run it
// has neither programs nor inputs. It builds the programs that it records.
func (b *Builder) Record(ctx context.Context) (manifests.BuildRecord, error) {
	return ensure(ctx, b, recordStep{})
}

// recordStep is the step that collects the build record.
type recordStep struct{}

// String names the step in plans and errors.
func (recordStep) String() string { return "BuildRecord" }

// Run implements [step].
func (recordStep) Run(ctx context.Context, b *Builder) (manifests.BuildRecord, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil {
		return manifests.BuildRecord{}, err
	}
	l, err := ensure(ctx, b, linkedStep{})
	if err != nil {
		return manifests.BuildRecord{}, err
	}
	tc, x := b.tc, b.cfg.X.LLD
	r := manifests.BuildRecord{
		X: b.version, LLD: decided.Recorded(), Inputs: map[string]manifests.Hash{},
		Toolchain: manifests.RecordedCompiler{
			Release: tc.Version.Release.String(), Commit: tc.Version.CommitHash, CommitDate: tc.Version.CommitDate,
			Host: tc.Host.String(), LLDDefault: tc.BakedLLD(),
		},
		SystemLibraries: l.libraries.System, FixedPrograms: slices.Sorted(maps.Keys(l.libraries.Fixed)),
	}
	if decided.BuildsWrapper() {
		r.Wrapper.Site = x.SiteWrapper
		if decided.Wrapper == lld.WrapperBuilt {
			r.Wrapper.Threads, r.Wrapper.Jobserver = b.threads(programs.WrapperLLD)
		}
	}
	if !b.dryRun {
		if r.Programs, err = b.recordPrograms(ctx, decided); err != nil {
			return manifests.BuildRecord{}, err
		}
		if err := b.recordInputs(ctx, decided, r.Inputs); err != nil {
			return manifests.BuildRecord{}, err
		}
	}
	return r, nil
}

// encodedRecord returns the bytes of the build record's file.
func (b *Builder) encodedRecord(ctx context.Context) ([]byte, error) {
	r, err := b.Record(ctx)
	if err != nil {
		return nil, err
	}
	return r.Encode()
}

// recordPrograms describes the programs that were built.
func (b *Builder) recordPrograms(ctx context.Context, decided lld.Outcome) ([]manifests.RecordedProgram, error) {
	var img dist.Image
	if decided.BuildsWrapper() {
		wrappers, err := ensure(ctx, b, lldWrapperStep{})
		if err != nil {
			return nil, err
		}
		for e := range wrappers.Entries() { // all four are the same
			if err := img.AddFile(programs.LLDWrapper, e.Path()); err != nil {
				return nil, err
			}
			break
		}
	}
	path, err := ensure(ctx, b, launcherStep{})
	if err != nil {
		return nil, err
	}
	if path != "" {
		if err := img.AddFile(programs.Launcher, path); err != nil {
			return nil, err
		}
	}
	var recorded []manifests.RecordedProgram
	for e := range img.Entries() {
		compiler, err := b.compilerOf(e)
		if err != nil {
			return nil, fmt.Errorf("recording the program %s: %w", e.Name, err)
		}
		digest, err := e.Hash(ctx)
		if err != nil {
			return nil, err
		}
		recorded = append(recorded, manifests.RecordedProgram{Package: e.Name, Compiler: compiler, SHA256: digest})
	}
	return recorded, nil
}

// compilerOf returns what a program was compiled by: "gcc 12.2.0" or "go1.26.0".
func (b *Builder) compilerOf(e dist.Entry) (string, error) {
	if compiler := programs.Compiler(b.tc.Spec); compiler != "" {
		return compiler, nil
	}
	info, err := buildinfo.ReadFile(e.Path())
	if err != nil {
		return "", err
	}
	return info.GoVersion, nil
}

// recordInputs computes the digests of the files that decide how programs are
// linked: of the compiler and of LLD. Those of all files would take as long as
// the archives.
func (b *Builder) recordInputs(ctx context.Context, decided lld.Outcome, digests map[string]manifests.Hash) error {
	host, exe := b.tc.Host.String(), b.tc.Spec.ExeSuffix
	patterns := append(dist.WrapperFiles(host, exe), dist.LLDFile(host, exe),
		"bin/rustc"+exe, "libexec/rustc"+exe, "lib/librustc_driver-*", "lib64/librustc_driver-*", "lib/*/librustc_driver-*", "bin/rustc_driver-*.dll")
	var files dist.Image
	for _, c := range b.input.Components {
		if c.Spec.Archive != "rustc" || c.Target != b.tc.Host {
			continue
		}
		files = c.Image.Filter(func(e dist.Entry) bool { return e.IsRegular() && matchesAny(patterns, e.Name) })
	}
	given := map[string]string{}
	if x := b.cfg.X.LLD; decided.Shipped && x.Binary != "" {
		given["lld.binary"] = x.Binary
	}
	if decided.Wrapper == lld.WrapperGiven {
		given["lld.wrapper"] = b.cfg.X.LLD.Wrapper
	}
	for key, name := range given {
		if err := files.AddFile(key, name); err != nil {
			return err
		}
	}
	for e := range files.Entries() {
		digest, err := e.Hash(ctx)
		if err != nil {
			return err
		}
		digests[e.Name] = digest
	}
	return nil
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return false
}

// withRecord puts the record into the component rustc of a toolchain that was
// overridden, and takes an earlier one out.
func withRecord(ctx context.Context, b *Builder, rustc dist.Image) (dist.Image, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil {
		return dist.Image{}, err
	}
	img := rustc.Clone()
	if _, err := img.Remove(manifests.BuildRecordInstalled); err != nil || !decided.Overrides() {
		return img, err
	}
	data, err := b.encodedRecord(ctx)
	if err != nil {
		return dist.Image{}, err
	}
	return img, img.AddBytes(manifests.BuildRecordInstalled, data, dist.ModeFile)
}
