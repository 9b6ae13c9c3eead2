package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEachKeyHasOneField compares the schema with the fields of Config: no key
// without field, no field without key.
func TestEachKeyHasOneField(t *testing.T) {
	want := map[string]bool{}
	for _, k := range Schema() {
		if want[k.ID()] {
			t.Errorf("two keys are called %s", k.ID())
		}
		want[k.ID()] = true
	}
	delete(want, "profile") // resolved by hand, for its aliases
	got := map[string]bool{}
	for id := range fields().config {
		got[id] = true
	}
	for name := range fields().target {
		got["target.*."+name] = true
	}
	for name := range fields().tool {
		got["build.tool.*."+name] = true
	}
	for name := range fields().component {
		got["component.*."+name] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-) and fields (+):\n%s", diff)
	}
}

// TestConfigHasNoPointers walks the exported fields of Config.
func TestConfigHasNoPointers(t *testing.T) {
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Func, reflect.Chan, reflect.Interface:
			t.Errorf("%s is a %s", path, typ.Kind())
		case reflect.Slice, reflect.Map:
			walk(path+"[]", typ.Elem())
		case reflect.Struct:
			for f := range typ.Fields() {
				if f.IsExported() {
					walk(path+"."+f.Name, f.Type)
				}
			}
		}
	}
	walk("Config", reflect.TypeFor[Config]())
}

func TestSchemaRowsAreWhole(t *testing.T) {
	for _, k := range slices.Concat(Schema(), RemovedKeys()) {
		id := k.ID()
		if k.Removed == 0 && k.Doc == "" || k.Doc != "" && !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s: got doc %q, want a sentence", id, k.Doc)
		}
		if k.Default != "" && k.Computed != "" && !strings.HasPrefix(k.Computed, "2 with ") && id != "rust.channel" {
			t.Errorf("%s: has a constant default %s and a computed one: %s", id, k.Default, k.Computed)
		}
		if (k.Type == Enum || k.Type == EnumList) == (k.Values == nil) && k.Type != StringOrBoolean {
			t.Errorf("%s: an enum needs values, and only an enum", id)
		}
		if by := k.ReplacedBy; by != "" {
			if _, ok := LookupKey(by); !ok {
				t.Errorf("%s: is replaced by %s, which is no key", id, by)
			}
		}
		if k.Legacy != (k.Note != "") {
			t.Errorf("%s: a legacy key needs a note, and only a legacy key: %q", id, k.Note)
		}
		if wants[k.Type] == "" || readers[k.Type] == nil {
			t.Errorf("%s: type %d has no reader", id, k.Type)
		}
		if _, ok := LookupKey(id); ok == (k.Removed != 0) {
			t.Errorf("%s: found by name: %v, removed in %q", id, ok, k.Removed)
		}
	}
}

func TestLookupKeyOfTriples(t *testing.T) {
	for id, want := range map[string]string{
		"rust.lld":                            "rust.lld",
		"target.x86_64-unknown-linux-gnu.cc":  "target.*.cc",
		"target.thumbv8m.main-none-eabi.cc":   "target.*.cc",
		"target.*.cc":                         "target.*.cc",
		"build.tool.miri.features":            "build.tool.*.features",
		"pgo.rustc.use":                       "pgo.rustc.use",
		"target.x86_64-unknown-linux-gnu.ldd": "",
		"target.cc":                           "",
		"":                                    "",
	} {
		k, ok := LookupKey(id)
		if got := k.ID(); ok && got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", id, got, ok, want)
		}
	}
	c := load(t, source(bootstrapToml("target.'thumbv8m.main-none-eabi'.cc = 'x'")))
	if got := c.Target(triple("thumbv8m.main-none-eabi")).CC; got != "x" {
		t.Errorf("cc of a triple with a dot: got %q, want %q", got, "x")
	}
}
