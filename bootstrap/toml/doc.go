// Package toml reads TOML into a tree in which each key has its position.
//
//	doc := toml.Parse("bootstrap.toml", data)
//	for _, e := range doc.Errors {
//		fmt.Println(e) // bootstrap.toml:3:1: rust.lld: set twice, first on line 2
//	}
//	if rust := doc.Root.Child("rust"); rust != nil {
//		fmt.Println(doc.Position(rust.At))
//	}
//
// For a text with mistakes, Parse returns a tree of the rest and all the mistakes,
// so that one run can report everything. Its time and memory are linear in the
// length of the text, whatever it holds.
//
// The grammar is go-toml's. Its low-level parser is named unstable, so no other
// package uses that.
package toml
