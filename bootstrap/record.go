package bootstrap

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"io"
	"path"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/manifests"
)

// inputRecord returns the record that an earlier build left in the input; it is
// zero if there is none. An unchanged component has the file list of its input, so
// the record is in no other component.
func (b *Builder) inputRecord() (manifests.BuildRecord, error) {
	e, ok := b.inputEntry(manifests.BuildRecordInstalled)
	if !ok {
		return manifests.BuildRecord{}, nil
	}
	f, err := e.Open()
	if err != nil {
		return manifests.BuildRecord{}, err
	}
	return readRecord(f, e.Path())
}

// BuildRecord is the step that collects the build record, as the bytes of its
// file. In a dry run it has neither programs nor inputs.
type BuildRecord struct{}

// String names the step in plans and errors.
func (BuildRecord) String() string { return "BuildRecord" }

// Run implements [Step].
func (BuildRecord) Run(ctx context.Context, b *Builder) ([]byte, error) {
	lld, err := Ensure(ctx, b, DecideLLD{})
	if err != nil {
		return nil, err
	}
	tc, x := b.Toolchain, b.Config.X.LLD
	r := manifests.BuildRecord{
		X: b.Version, LLD: recordLLD(lld), Inputs: map[string]manifests.Hash{},
		Toolchain: manifests.RecordedCompiler{
			Release: tc.Version.Release.String(), Commit: tc.Version.CommitHash, CommitDate: tc.Version.CommitDate,
			Host: tc.Host.String(), LLDDefault: tc.BakedLLD(),
		},
	}
	if lld.Wrapper == WrapperBuilt || lld.Wrapper == WrapperShim {
		r.Wrapper = manifests.RecordedWrapper{Site: x.SiteWrapper, Jobserver: x.Jobserver && lld.Wrapper == WrapperBuilt}
	}
	if !b.DryRun {
		if r.Programs, err = b.recordPrograms(ctx, lld); err != nil {
			return nil, err
		}
		if err := b.recordInputs(ctx, r.Inputs); err != nil {
			return nil, err
		}
	}
	return r.Encode()
}

// recordLLD returns what the record says of LLD.
func recordLLD(l LLD) manifests.RecordedLLD {
	return manifests.RecordedLLD{
		Shipped: l.Shipped, Default: l.Default, Wrapper: string(l.Wrapper), Launcher: string(l.Launcher), Rule: string(l.Rule),
	}
}

// RecordedLLD returns what a record says of LLD.
func RecordedLLD(r manifests.BuildRecord) LLD {
	l := r.LLD
	return LLD{
		Shipped: l.Shipped, Default: l.Default, Wrapper: WrapperKind(l.Wrapper), Launcher: LauncherKind(l.Launcher), Rule: config.Rule(l.Rule),
	}
}

// recordPrograms describes the programs that were built.
func (b *Builder) recordPrograms(ctx context.Context, lld LLD) ([]manifests.RecordedProgram, error) {
	var img dist.Image
	if lld.Wrapper == WrapperBuilt || lld.Wrapper == WrapperShim {
		wrappers, err := Ensure(ctx, b, LLDWrapper{})
		if err != nil {
			return nil, err
		}
		for e := range wrappers.Entries() { // all four are the same
			if err := img.AddFile(lldWrapper, e.Path()); err != nil {
				return nil, err
			}
			break
		}
	}
	path, err := Ensure(ctx, b, Launcher{})
	if err != nil {
		return nil, err
	}
	if path != "" {
		if err := img.AddFile(launcher, path); err != nil {
			return nil, err
		}
	}
	var programs []manifests.RecordedProgram
	for e := range img.Entries() {
		info, err := buildinfo.ReadFile(e.Path())
		if err != nil {
			return nil, fmt.Errorf("recording the program %s: %w", e.Name, err)
		}
		digest, err := digestOf(ctx, e)
		if err != nil {
			return nil, err
		}
		programs = append(programs, manifests.RecordedProgram{Package: e.Name, Go: info.GoVersion, SHA256: digest})
	}
	return programs, nil
}

// recordInputs computes the digests of the files that decide how programs are
// linked: of the compiler and of LLD. Those of all files would take as long as
// the archives.
func (b *Builder) recordInputs(ctx context.Context, digests map[string]manifests.Hash) error {
	host, exe := b.Toolchain.Host.String(), b.Toolchain.Spec.ExeSuffix
	patterns := append(dist.WrapperFiles(host, exe), dist.LLDFile(host, exe),
		"bin/rustc"+exe, "libexec/rustc"+exe, "lib/librustc_driver-*", "bin/rustc_driver-*.dll")
	var files dist.Image
	for _, c := range b.Input.Components {
		if c.Spec.Archive != "rustc" || c.Target != b.Toolchain.Host {
			continue
		}
		files = c.Image.Filter(func(e dist.Entry) bool { return e.IsRegular() && matchesAny(patterns, e.Name) })
	}
	given := map[string]string{"lld.binary": b.Config.X.LLD.Binary}
	if w := b.Config.X.LLD.Wrapper; w != "keep" && w != "build" {
		given["lld.wrapper"] = w
	}
	for key, name := range given {
		if name == "" {
			continue
		}
		if err := files.AddFile(key, name); err != nil {
			return err
		}
	}
	for e := range files.Entries() {
		digest, err := digestOf(ctx, e)
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

// digestOf reads an entry from begin to end.
func digestOf(ctx context.Context, e dist.Entry) (manifests.Hash, error) {
	if err := ctx.Err(); err != nil {
		return manifests.Hash{}, err
	}
	r, err := e.Open()
	if err != nil {
		return manifests.Hash{}, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return manifests.Hash{}, fmt.Errorf("reading %q: %w", e.Name, err)
	}
	return manifests.Hash(h.Sum(nil)), nil
}

// withRecord puts the record into the component rustc of a toolchain that was
// overridden, and takes an earlier one out.
func withRecord(ctx context.Context, b *Builder, rustc dist.Image) (dist.Image, error) {
	lld, err := Ensure(ctx, b, DecideLLD{})
	if err != nil {
		return dist.Image{}, err
	}
	img := rustc.Clone()
	if _, err := img.Remove(manifests.BuildRecordInstalled); err != nil || !lld.overrides() {
		return img, err
	}
	data, err := Ensure(ctx, b, BuildRecord{})
	if err != nil {
		return dist.Image{}, err
	}
	return img, img.AddBytes(manifests.BuildRecordInstalled, data, dist.ModeFile)
}
