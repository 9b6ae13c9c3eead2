// Package toml reads TOML into a tree in which each key knows its place.
//
//	doc := toml.Parse("bootstrap.toml", data)
//	for _, e := range doc.Errors {
//		fmt.Println(e) // bootstrap.toml:3:1: rust.lld: set twice, first on line 2
//	}
//	if rust := doc.Root.Child("rust"); rust != nil {
//		fmt.Println(doc.Position(rust.At))
//	}
//
// A text with mistakes gives a tree of what could be understood and all the
// mistakes, so that one run can tell everything. The work and the memory of Parse
// grow with the length of the text and not faster, whatever it holds.
//
// The grammar is go-toml's, whose parser for others to build on is named unstable:
// no other package uses it.
package toml
