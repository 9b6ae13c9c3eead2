package oracle

import (
	"encoding/json"
	"fmt"
	"testing"

	"x.go/targets"
	"x.go/targets/link"
)

// NewBatch returns a batch about this compiler, which answers from the builtin
// registry.
func (tc *Toolchain) NewBatch() (*link.Batch, error) {
	return link.NewBatch(targets.Builtin(), tc.Compiler())
}

// Decide asks the model about a case and returns the whole decision.
func (tc *Toolchain) Decide(t testing.TB, c Case) link.Decision {
	t.Helper()
	b, err := tc.NewBatch()
	if err != nil {
		t.Fatal(err)
	}
	line, err := c.question()
	if err != nil {
		t.Fatal(err)
	}
	r := b.Decide(line)
	if r.Problem != "" {
		t.Fatalf("asking about case %s: %s", line, r.Problem)
	}
	return r.Decision
}

// Predict asks the model about a case and returns what its compiler should do.
func Predict(b *link.Batch, c Case) (Answer, error) {
	line, err := c.question()
	if err != nil {
		return Answer{}, err
	}
	return Ask(b, line)
}

// Ask puts one line to a batch and reads the answer's JSON.
func Ask(b *link.Batch, line []byte) (Answer, error) {
	r := b.Decide(line)
	if r.Problem != "" {
		return Answer{}, fmt.Errorf("asking about case %s: %s", line, r.Problem)
	}
	var a Answer
	return a, json.Unmarshal(r.AppendJSON(nil), &a)
}

// question writes a case as a batch takes it.
func (c Case) question() ([]byte, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return question(line)
}
