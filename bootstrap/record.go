package bootstrap

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"x.go/bootstrap/lld"
	"x.go/dist"
	"x.go/manifests"
)

// Names of the build record: at the top of each archive, where it is not
// installed, and in component rustc of a toolchain that links otherwise than its
// compiler was built to. An unchanged component has the file list of its input,
// so the record is in none.
const (
	recordName      = "x-build.json"
	recordInstalled = "share/doc/rust/" + recordName
)

// Record is the build record: what was decided and of what inputs, in every
// archive as x-build.json. Equal inputs make equal records: there is no time, no
// name of a machine and no path of the build in it.
type Record struct {
	Format    int               `json:"format"` // 1; changes if a field changes its meaning
	X         string            `json:"x"`      // version of x
	Toolchain RecordToolchain   `json:"toolchain"`
	LLD       lld.Outcome       `json:"lld"`
	Wrapper   RecordWrapper     `json:"wrapper,omitzero"`
	Programs  []RecordProgram   `json:"programs,omitempty"` // built for this toolchain
	Inputs    map[string]Digest `json:"inputs"`             // by slash path in the input, or by key of x.toml
}

// Digest is the SHA-256 of a file in hexadecimal digits.
type Digest = manifests.Hash

// RecordToolchain says which compiler went in.
type RecordToolchain struct {
	Release    string `json:"release"` // as rustc -vV has it: "1.95.0"
	Commit     string `json:"commit,omitempty"`
	CommitDate string `json:"commit_date,omitempty"`
	Host       string `json:"host"`
	LLDDefault bool   `json:"lld_default"` // the compiler was built to link with LLD
}

// RecordWrapper is what the gcc-ld programs do besides running a linker.
type RecordWrapper struct {
	Site      string `json:"site,omitempty"` // lld.site-wrapper: a path where the toolchain is used
	Jobserver bool   `json:"jobserver,omitempty"`
}

// RecordProgram is a program that was built.
type RecordProgram struct {
	Package string `json:"package"` // of x: "launcher"
	Go      string `json:"go"`      // version of the Go toolchain: "go1.26.0"
	SHA256  Digest `json:"sha256"`
}

// Encode returns the record as a file: indented JSON with its keys in one order.
func (r Record) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", recordName, err)
	}
	return append(data, '\n'), nil
}

// maxRecord bounds the size of a record that is read, in bytes; ours have 3000.
const maxRecord = 1 << 20

// BuiltBy returns the record in a sysroot that a build of x made to link otherwise
// than its compiler was built to. ok is false for every other toolchain.
func (tc Toolchain) BuiltBy() (r Record, ok bool, err error) {
	path := filepath.Join(tc.Sysroot, filepath.FromSlash(recordInstalled))
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, err
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxRecord)).Decode(&r); err != nil {
		return Record{}, false, fmt.Errorf("reading %q: %w", path, err)
	}
	return r, true, nil
}

// BuildRecord is the step that collects the build record, as the bytes of its
// file. In a dry run it has neither programs nor inputs.
type BuildRecord struct{}

// String names the step in plans and errors.
func (BuildRecord) String() string { return "BuildRecord" }

// Run implements [Step].
func (BuildRecord) Run(ctx context.Context, b *Builder) ([]byte, error) {
	decided, err := Ensure(ctx, b, DecideLLD{})
	if err != nil {
		return nil, err
	}
	tc, x := b.Toolchain, b.Config.X.LLD
	r := Record{
		Format: 1, X: b.Version, LLD: decided, Inputs: map[string]Digest{},
		Toolchain: RecordToolchain{tc.Release.Version, tc.Release.CommitHash, tc.Release.CommitDate, tc.Host.String(), tc.BakedLLD()},
	}
	if decided.BuildsWrapper() {
		r.Wrapper = RecordWrapper{x.SiteWrapper, x.Jobserver && decided.Wrapper == lld.WrapperBuilt}
	}
	if !b.DryRun {
		if r.Programs, err = b.recordPrograms(ctx, decided); err != nil {
			return nil, err
		}
		if err := b.recordInputs(ctx, decided, r.Inputs); err != nil {
			return nil, err
		}
	}
	return r.Encode()
}

// recordPrograms describes the programs that were built.
func (b *Builder) recordPrograms(ctx context.Context, decided lld.Outcome) ([]RecordProgram, error) {
	var img dist.Image
	if decided.BuildsWrapper() {
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
	var programs []RecordProgram
	for e := range img.Entries() {
		info, err := buildinfo.ReadFile(e.Path())
		if err != nil {
			return nil, fmt.Errorf("recording the program %s: %w", e.Name, err)
		}
		digest, err := digestOf(ctx, e)
		if err != nil {
			return nil, err
		}
		programs = append(programs, RecordProgram{e.Name, info.GoVersion, digest})
	}
	return programs, nil
}

// recordInputs computes the digests of the files that decide how programs are
// linked: of the compiler and of LLD. Those of all files would take as long as
// the archives.
func (b *Builder) recordInputs(ctx context.Context, decided lld.Outcome, digests map[string]Digest) error {
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
	given := map[string]string{}
	if x := b.Config.X.LLD; decided.Shipped && x.Binary != "" {
		given["lld.binary"] = x.Binary
	}
	if decided.Wrapper == lld.WrapperGiven {
		given["lld.wrapper"] = b.Config.X.LLD.Wrapper
	}
	for key, name := range given {
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
func digestOf(ctx context.Context, e dist.Entry) (Digest, error) {
	if err := ctx.Err(); err != nil {
		return Digest{}, err
	}
	r, err := e.Open()
	if err != nil {
		return Digest{}, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return Digest{}, fmt.Errorf("reading %q: %w", e.Name, err)
	}
	return Digest(h.Sum(nil)), nil
}

// withRecord puts the record into the component rustc of a toolchain that was
// overridden, and takes an earlier one out.
func withRecord(ctx context.Context, b *Builder, rustc dist.Image) (dist.Image, error) {
	decided, err := Ensure(ctx, b, DecideLLD{})
	if err != nil {
		return dist.Image{}, err
	}
	img := rustc.Clone()
	if _, err := img.Remove(recordInstalled); err != nil || !decided.Overrides() {
		return img, err
	}
	data, err := Ensure(ctx, b, BuildRecord{})
	if err != nil {
		return dist.Image{}, err
	}
	return img, img.AddBytes(recordInstalled, data, dist.ModeFile)
}
