package source

import (
	"encoding/json"
	"fmt"
	"slices"

	"x.go/dist"
)

// LacksFile is the record of what the vendored crates of an archive lacked when it was
// packed: a sorted list in JSON of crates, "aes 0.8.4", and of files. Archives of whole
// trees have none, as upstream's have.
const LacksFile = "x-source.json"

// lacks is the content of [LacksFile].
type lacks struct {
	Lacks []string `json:"lacks"`
}

// Record adds to an image what it lacks, by what [Judge] has found, and returns the
// findings that no record excuses.
func Record(img *dist.Image, found []Finding) ([]Finding, error) {
	var r lacks
	var rest []Finding
	for _, f := range found {
		if f.Lacks == "" {
			rest = append(rest, f)
			continue
		}
		r.Lacks = append(r.Lacks, f.Lacks)
	}
	if len(r.Lacks) == 0 {
		return rest, nil
	}
	slices.Sort(r.Lacks)
	text, err := json.MarshalIndent(lacks{slices.Compact(r.Lacks)}, "", " ")
	if err != nil {
		return nil, err
	}
	return rest, img.AddBytes(LacksFile, append(text, '\n'), dist.ModeFile)
}

// withoutRecorded drops the findings that a record excuses, and counts them.
func withoutRecorded(found []Finding, text []byte) (rest []Finding, recorded int) {
	var r lacks
	if err := json.Unmarshal(text, &r); err != nil {
		return append(found, Finding{Kind: Vendor, Text: fmt.Sprintf("reading %s: %v", LacksFile, err)}), 0
	}
	known := map[string]bool{}
	for _, l := range r.Lacks {
		known[l] = true
	}
	for _, f := range found {
		if f.Lacks != "" && known[f.Lacks] {
			recorded++
			continue
		}
		rest = append(rest, f)
	}
	return rest, recorded
}
