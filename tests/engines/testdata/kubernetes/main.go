// Command schema prints the fields of a Job, and of all that is in one, as the types of
// k8s.io/api have them. To renew: go run . >../job.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	batch "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// scalars are structs that are a text or a number in JSON.
var scalars = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():  "quantity",
	reflect.TypeFor[intstr.IntOrString](): "text or number",
	reflect.TypeFor[meta.Time]():          "time",
	reflect.TypeFor[meta.MicroTime]():     "time",
	reflect.TypeFor[meta.FieldsV1]():      "any",
}

// schema has the fields of each struct by their names in JSON.
type schema map[string]map[string]string

// of returns the name of a type, and adds its fields.
func (s schema) of(t reflect.Type) string {
	if name := scalars[t]; name != "" {
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "text"
		}
		return "list " + s.of(t.Elem())
	case reflect.Map:
		return "map " + s.of(t.Elem())
	case reflect.Struct:
		return s.fields(t)
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "bool"
	}
	return t.Kind().String() // numbers
}

func (s schema) fields(t reflect.Type) string {
	name := strings.TrimPrefix(t.PkgPath(), "k8s.io/") + "." + t.Name()
	if s[name] != nil {
		return name
	}
	s[name] = map[string]string{}
	for f := range t.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case key == "-":
		case key != "":
			s[name][key] = s.of(f.Type)
		default: // its fields are those of t
			for key, is := range s[s.of(f.Type)] {
				s[name][key] = is
			}
		}
	}
	return name
}

func main() {
	s := schema{}
	s.of(reflect.TypeFor[batch.Job]())
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(data))
}
