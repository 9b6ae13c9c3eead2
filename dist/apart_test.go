package dist

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestApart(t *testing.T) {
	for name, tt := range map[string]struct {
		image, bulk   string // of the outer component
		other, others string // files of the other, and its bulk directories
		want          string // the lines of the outer component
	}{
		"elsewhere":      {"html/a html/s/b", "html", "json/x", "json", "dir:html"},
		"beside":         {"html/a html/s/b", "html", "html2/x", "html2", "dir:html"},
		"directory":      {"html/a html/s/b html/t/c/d", "html", "html/rustc/x", "html/rustc", "dir:html/s dir:html/t file:html/a"},
		"files":          {"html/a html/s/b", "html", "html/y html/rustc/x", "", "dir:html/s file:html/a"},
		"deep":           {"html/a html/s/b html/s/deep/c html/t/d", "html", "html/s/deep/er/x", "html/s/deep/er", "dir:html/t file:html/a file:html/s/b file:html/s/deep/c"},
		"same directory": {"html/a html/s/b", "html", "html/s/x", "html/s", "dir:html/s file:html/a"},
		"empty":          {"html/e/ html/s/b", "html", "html/rustc/x", "html/rustc", "dir:html/e dir:html/s"},
		"two":            {"html/a json/s/b", "html json", "json/rustc/x", "json/rustc", "dir:html dir:json/s"},
		"inner":          {"html/rustc/x", "html/rustc", "html/a html/s/b", "html", "dir:html/rustc"},
	} {
		c := Component{Name: "outer", Image: image(t, strings.Fields(tt.image)...), BulkDirs: strings.Fields(tt.bulk)}
		other := Component{Name: "inner", Image: image(t, strings.Fields(tt.other)...), BulkDirs: strings.Fields(tt.others)}
		before := string(c.Manifest().Encode())
		got, apart := c.Apart(other)
		lines := string(got.Manifest().Encode())
		if diff := cmp.Diff(strings.Fields(tt.want), strings.Fields(lines)); diff != "" || apart != (lines != before) {
			t.Errorf("%s: apart %t (-want +got):\n%s", name, apart, diff)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, apart := got.Apart(other); apart || string(again.Manifest().Encode()) != lines {
			t.Errorf("%s: got another list the second time", name)
		}
	}
}
