package manifests

import (
	"encoding/json"
	"errors"
	"fmt"

	"x.go/targets"
)

// Names of the build record. It is at the top of each archive, where installers
// ignore it, and in component rustc of a toolchain that does not link as its
// compiler was built to.
const (
	BuildRecordFile      = "x-build.json"
	BuildRecordInstalled = "share/doc/rust/" + BuildRecordFile
)

// MaxBuildRecord bounds the size of a build record in bytes; ours have 3000.
const MaxBuildRecord = 1 << 20

// BuildRecord says what a build decided and what its inputs were. Every archive has
// it in [BuildRecordFile]. It holds no time, no name of a machine and no path of
// the build, so equal inputs give equal records.
type BuildRecord struct {
	Format    int               `json:"format"` // 1; changes if a field changes its meaning
	X         string            `json:"x"`      // version of x
	Toolchain RecordedCompiler  `json:"toolchain"`
	LLD       RecordedLLD       `json:"lld"`
	Wrapper   RecordedWrapper   `json:"wrapper,omitzero"`
	Programs  []RecordedProgram `json:"programs,omitempty"` // built for this toolchain
	Inputs    map[string]Hash   `json:"inputs"`             // by slash path in the input, or by key of x.toml
	// SystemLibraries are the libraries that the system has to bring, beside those of
	// libc, libgcc_s and zlib, each with the files of the toolchain that need it.
	SystemLibraries map[string][]string `json:"system_libraries,omitempty"`
	// FixedPrograms are the programs that find their libraries only where the
	// toolchain was installed.
	FixedPrograms []string `json:"fixed_programs,omitempty"`
}

// buildRecordFormat is the only format there is.
const buildRecordFormat = 1

// RecordedCompiler says which compiler went in.
type RecordedCompiler struct {
	Release    string `json:"release"` // as rustc -vV has it: "1.95.0"
	Commit     string `json:"commit,omitempty"`
	CommitDate string `json:"commit_date,omitempty"`
	Host       string `json:"host"`
	LLDDefault bool   `json:"lld_default"` // the compiler was built to link with LLD
}

// RecordedLLD says how the toolchain uses LLD. Package lld has the words.
type RecordedLLD struct {
	Shipped  bool   `json:"shipped"`  // rust-lld is in the toolchain
	Default  bool   `json:"default"`  // a plain link of the host uses it
	Wrapper  string `json:"wrapper"`  // what gcc-ld holds: "none", "kept", "built", "given" or "shim"
	Launcher string `json:"launcher"` // what stands before rustc: "none", "system" or "lld"
	Rule     string `json:"rule"`     // the rule of the configuration that decided
}

// RecordedWrapper is what the gcc-ld programs do besides running a linker.
type RecordedWrapper struct {
	Site      string `json:"site,omitempty"` // lld.site-wrapper: a path where the toolchain is used
	Jobserver bool   `json:"jobserver,omitempty"`
	Threads   string `json:"threads,omitempty"` // what else bounds the threads of LLD: "leaf,8"
}

// RecordedProgram is a program that was built.
type RecordedProgram struct {
	Package  string `json:"package"`            // of x: "launcher"
	Compiler string `json:"compiler,omitempty"` // with its version: "gcc 12.2.0" or "go1.26.0"
	SHA256   Hash   `json:"sha256"`
}

// Linker says in a few words how a plain link of the toolchain's own host is made.
func (r BuildRecord) Linker() string {
	switch {
	case r.LLD.Default && r.LLD.Shipped:
		return "LLD, its own"
	case r.LLD.Default:
		return "LLD of the system"
	}
	return "system linker"
}

// Recorded returns the packages of a toolchain whose archives may have a build record,
// each that of the whole build.
func Recorded() []string {
	return []string{"cargo", "rustfmt-preview", "clippy-preview", "rust-std", "rustc"}
}

// ParseBuildRecord reads a build record. It ignores unknown keys and refuses other
// formats.
func ParseBuildRecord(data []byte) (BuildRecord, error) {
	var r BuildRecord
	if err := r.parse(data); err != nil {
		return BuildRecord{}, fmt.Errorf("parsing %s: %w", BuildRecordFile, err)
	}
	return r, nil
}

func (r *BuildRecord) parse(data []byte) error {
	if len(data) > MaxBuildRecord {
		return fmt.Errorf("got more than %d bytes", MaxBuildRecord)
	}
	// The format comes first, for another one may have other fields.
	var head struct{ Format int }
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	if head.Format != buildRecordFormat {
		return fmt.Errorf("got format %d, want %d", head.Format, buildRecordFormat)
	}
	if err := json.Unmarshal(data, r); err != nil {
		return err
	}
	if _, err := targets.ParseTriple(r.Toolchain.Host); err != nil {
		return fmt.Errorf("toolchain.host: %w", err)
	}
	if r.LLD.Wrapper == "" || r.LLD.Launcher == "" {
		return errors.New("lld: got no wrapper or no launcher, want a word for each")
	}
	return nil
}

// Encode returns the record as a file: indented JSON with its keys in one order.
// Format is set.
func (r BuildRecord) Encode() ([]byte, error) {
	r.Format = buildRecordFormat
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", BuildRecordFile, err)
	}
	return append(data, '\n'), nil
}
