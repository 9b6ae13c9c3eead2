package optouts

import (
	"encoding/json"
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// The parts of SARIF 2.1.0 that code-scanning pages read
// (docs.oasis-open.org/sarif/sarif/v2.1.0).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"semanticVersion,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string       `json:"id"`
		Name    string       `json:"name"`
		Short   sarifMessage `json:"shortDescription"`
		Full    sarifMessage `json:"fullDescription"`
		Default sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   sarifProperties   `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifProperties struct {
		Needed *bool  `json:"needed"`
		Status Status `json:"status"`
		Cause  string `json:"cause,omitempty"`
	}
)

// sarifRules say what a class of options is about.
var sarifRules = []struct {
	class      Class
	name, text string
}{
	{ClassFeatures, "LinkerFeatures", "linker-features turns LLD on or off"},
	{ClassSelfContained, "LinkSelfContained", "link-self-contained decides whether the toolchain's own linker is used"},
	{ClassFlavor, "LinkerFlavor", "linker-flavor decides how the linker is called"},
	{ClassGccLd, "GccLd", "-Zgcc-ld is an option of old nightly compilers"},
	{ClassLinker, "Linker", "a linker is named"},
	{ClassFuseLd, "FuseLd", "the C compiler is told which linker to run"},
	{ClassStartStop, "StartStopGc", "whether the linker drops sections that only __start_ and __stop_ symbols refer to"},
	{ClassUndefined, "ShlibUndefined", "whether the linker checks that shared libraries find their symbols"},
	{ClassThreads, "Threads", "how many threads the linker runs"},
	{ClassUnlock, "UnstableOptions", "-Zunstable-options serves linker options alone"},
	{ClassToolchain, "Toolchain", "a key of bootstrap.toml bears on LLD"},
}

// SARIF writes the findings as SARIF 2.1.0. version is that of x. dir is the working
// directory, absolute: paths in it are relative to it, others to the directory that
// was named.
func (r *Report) SARIF(version, dir string) ([]byte, error) {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "x opt-outs", Version: version}
	index := map[Class]int{}
	for i, rule := range sarifRules {
		index[rule.class] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: string(rule.class), Name: rule.name, Short: sarifMessage{rule.text}, Full: sarifMessage{rule.text}, Default: sarifDefault{"note"},
		})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		run.Results = append(run.Results, sarifResult{
			RuleID: string(f.Class), RuleIndex: index[f.Class], Level: f.level(), Message: sarifMessage{f.message()},
			Locations: []sarifLocation{{sarifPhysical{
				sarifArtifact{f.uri(dir)}, sarifRegion{f.Line, f.Column, f.EndLine, f.EndColumn},
			}}},
			Fingerprints: map[string]string{"option/v1": string(f.Class) + ":" + f.Option},
			Properties:   sarifProperties{f.Needed, f.Status, f.Cause},
		})
	}
	return json.MarshalIndent(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	}, "", "  ")
}

// level ranks a finding: what stops the build, what can go, and what is only told.
func (f *Finding) level() string {
	switch {
	case f.Kind == KindDocumentation || f.Kind == KindSource:
		return "note"
	case f.Status == StatusRefused:
		return "error"
	case f.Needed != nil && !*f.Needed:
		return "warning"
	}
	return "note"
}

// message is a finding in sentences.
func (f *Finding) message() string {
	text := f.Option + ": " + f.Effect + "."
	if f.Reason != "" {
		text += " Likely reason: " + f.Reason + "."
	}
	if f.Why != "" {
		text += " " + map[bool]string{true: "Needed", false: "Not needed any more"}[f.Needed != nil && *f.Needed] + ": " + f.Why + "."
		if f.Needed == nil {
			text = strings.Replace(text, " Not needed any more: ", " Whether it is needed is not known: ", 1)
		}
	}
	return text
}

// uri is the file's path relative to the working directory, where it is in there.
func (f *Finding) uri(dir string) string {
	name := f.file.name
	full := filepath.Join(f.tree.where, filepath.FromSlash(name))
	if rel, err := filepath.Rel(dir, full); err == nil && filepath.IsLocal(rel) {
		name = filepath.ToSlash(rel)
	}
	return (&url.URL{Path: path.Clean(name)}).EscapedPath()
}
