package engines

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"x.go/tests/testenv"
)

// schema has the fields of a Job of Kubernetes and of all that is in one, by the names
// of their types. To renew: cd testdata/kubernetes && go run . >../job.json
type schema map[string]map[string]string

// readSchema returns the schema of a Job as k8s.io/api has it.
func readSchema(t *testing.T) schema {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "job.json"))
	testenv.Must(t, err)
	s := schema{}
	testenv.Must(t, json.Unmarshal(data, &s))
	return s
}

var (
	// quantity is resource.Quantity: a number with a suffix.
	quantity = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i|)$`)
	// old are texts that YAML 1.1, which Kubernetes reads, takes for truth values.
	old = []string{"y", "n", "yes", "no", "on", "off", "true", "false"}
)

// check returns an error unless a value is of a type: a field that the type does not
// have, twice the same one, and a scalar of another kind are errors.
func (s schema) check(at, is string, n *yaml.Node) error {
	kind, of, _ := strings.Cut(is, " ")
	switch {
	case s[is] != nil || kind == "map":
		return s.checkFields(at, is, n)
	case kind == "list":
		if n.Kind != yaml.SequenceNode {
			return fmt.Errorf("%s: want a list", at)
		}
		for i, item := range n.Content {
			if err := s.check(fmt.Sprintf("%s[%d]", at, i), of, item); err != nil {
				return err
			}
		}
		return nil
	}
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
	wants := map[string]string{"text": "!!str", "bool": "!!bool", "int32": "!!int", "int64": "!!int", "quantity": n.Tag}
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != wants[is]:
		return fmt.Errorf("%s: got %s %q, want %s", at, n.Tag, n.Value, is)
	case is == "text" && plain && slices.Contains(old, strings.ToLower(n.Value)):
		return fmt.Errorf("%s: got %s, which is no text in YAML 1.1", at, n.Value)
	case is == "quantity" && !quantity.MatchString(n.Value):
		return fmt.Errorf("%s: got quantity %q", at, n.Value)
	}
	return nil
}

func (s schema) checkFields(at, is string, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: want a mapping", at)
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i].Value
		field, isMap := strings.CutPrefix(is, "map ")
		if !isMap {
			field = s[is][name]
		}
		if field == "" || seen[name] {
			return fmt.Errorf("%s: %s has no field %q, or it is there twice", at, is, name)
		}
		seen[name] = true
		if err := s.check(at+"."+name, field, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// checkJob holds a manifest to the types of the API.
func (s schema) checkJob(text string) error {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return err
	}
	return s.check("job", "api/batch/v1.Job", doc.Content[0])
}

// TestJobSchema refuses manifests that the server would refuse.
func TestJobSchema(t *testing.T) {
	t.Parallel()
	s := readSchema(t)
	for text, want := range map[string]string{
		"spec: {completions: 3}":                      "",
		"spec: {completion: 3}":                       `has no field "completion"`,
		"spec: {completions: '3'}":                    "want int32",
		"spec: {suspend: 1}":                          "want bool",
		"metadata: {name: 12}":                        "want text",
		"metadata: {name: no}":                        "no text in YAML 1.1",
		"metadata: {labels: {a: b}}":                  "",
		"metadata: {labels: {a: 1}}":                  "want text",
		"spec: {template: {spec: {containers: {}}}}":  "want a list",
		"spec: {template: {spec: {containers: [a]}}}": "want a mapping",
		"spec: {template: {spec: {containers: [{resources: {limits: {memory: 3Mi}}}]}}}": "",
		"spec: {template: {spec: {containers: [{resources: {limits: {memory: 3MB}}}]}}}": `got quantity "3MB"`,
	} {
		if err := s.checkJob(text); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
