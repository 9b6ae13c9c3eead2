package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComponents(t *testing.T) {
	t.Parallel()
	x := "[component.acme-sdk]\ntargets = ['x86_64-unknown-linux-gnu', 'riscv32-acme-none-elf']\nprofiles = ['default']\n" +
		"[component.acme-data]\ntargets = ['*']\nrequired = true\n"
	c := load(t, source(map[string]string{"x.toml": x}, "component.acme-sdk.rename=sdk", `component.acme-sdk.profiles=["complete"]`, `component={more={targets=["*"]}}`))
	want := map[string]XComponent{
		"acme-sdk":  {Targets: []string{linux, "riscv32-acme-none-elf"}, Profiles: []string{"complete"}, Rename: "sdk"},
		"acme-data": {Targets: []string{"*"}, Required: true},
		"more":      {Targets: []string{"*"}},
	}
	if diff := cmp.Diff(want, c.X.Component); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := c.Origin("component.acme-data.targets").String(); got != "x.toml:5:1" {
		t.Errorf("got origin %s", got)
	}
	again := load(t, source(map[string]string{"x.toml": c.TOML(RenderOptions{File: X})}))
	if diff := cmp.Diff(want, again.X.Component); diff != "" {
		t.Errorf("written and read (-want +got):\n%s", diff)
	}
}

func TestComponentErrors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		file, text string
		sets       []string
		want       []string
	}{
		{file: "x.toml", text: "[component.a]\n", want: []string{`x.toml:1:12: component.a: got no key, want targets; write targets = ["*"], or the triples that it is built for`}},
		{file: "x.toml", text: "[component.a]\nrename = 'b'\nrequired = true\n", want: []string{`x.toml:2:1: component.a: got no targets; write targets = ["*"], or the triples that it is built for`}},
		{sets: []string{"component.a.rename=b"}, want: []string{`--set component.a.rename=b: component.a: got no targets; write targets = ["*"], or the triples that it is built for`}},
		{file: "x.toml", text: "[component.a]\ntargets = '*'\n", want: []string{`x.toml:2:11: component.a.targets: got string "*", want an array of target triples, or ["*"]`}},
		{file: "x.toml", text: "[component.a]\ntargets = []\n", want: []string{`x.toml:2:11: component.a.targets: got an empty array, want an array of target triples, or ["*"]`}},
		{file: "x.toml", text: "[component.a]\ntargets = ['*', 'a-b-c']\n", want: []string{`x.toml:2:12: component.a.targets: parsing target triple "*": bad character '*' at byte 0`}},
		{file: "x.toml", text: "[component.a]\ntargets = ['a-b-c', 7]\n", want: []string{`x.toml:2:21: component.a.targets: got integer 7, want a string with a target triple`}},
		{file: "x.toml", text: "[component.a]\ntargets = ['a-b-c', 'a-b-c']\n", want: []string{`x.toml:2:21: component.a.targets: got "a-b-c" twice, want each once`}},
		{file: "x.toml", text: "[component.a]\ntargets = ['*']\nprofiles = ['full']\n", want: []string{`x.toml:3:13: component.a.profiles: got "full", want "minimal", "default" or "complete"`}},
		{file: "x.toml", text: "[component.a]\ntarget = ['*']\n", want: []string{"x.toml:2:1: component.a.target: unknown field `target`; did you mean `targets`?"}},
		{file: "x.toml", text: "component = 1\n", want: []string{"x.toml:1:13: component: got integer 1, want a table"}},
		{file: "bootstrap.toml", text: "[component.a]\ntargets = ['*']\n", want: []string{"bootstrap.toml:1:2: component: unknown field `component`; hint: section `component` belongs to x.toml"}},
		{file: "bootstrap.toml", text: "[build]\ntargets = ['a-b-c']\n", want: []string{"bootstrap.toml:2:1: build.targets: unknown field `targets`; did you mean `target`?; hint: try moving `targets` to the `llvm` section"}},
	} {
		if diff := cmp.Diff(row.want, loadErrors(t, source(map[string]string{row.file: row.text}, row.sets...))); diff != "" {
			t.Errorf("%q %q (-want +got):\n%s", row.text, row.sets, diff)
		}
	}
}
