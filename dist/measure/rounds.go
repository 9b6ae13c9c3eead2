package measure

import "context"

// Event says how far a comparison is.
type Event struct {
	Step, Steps int    // of all runs with one input; Step counts from 1
	Round       int    // from 1
	Input       string // name of the input
	Name        string // of the row
	Done        bool   // the run has ended, with Run or Err
	Run         Figures
	Err         error
}

// Turn is what one of those that are compared does in each round.
type Turn struct {
	Name string // of the row
	// Run runs it once and returns what is told of the run. last says that no other
	// round follows.
	Run func(ctx context.Context, last bool) (Figures, error)
	// Fail is told the error of Run, unless the context has ended. There is no other
	// round for this turn then.
	Fail func(error)
}

// Rounds give each turn once in each round.
type Rounds struct {
	Count  int
	Before int // steps that are done already
	Steps  int // in all
	Input  string
	Notify func(Event) // called before and after each run, if it is not nil
}

// Take runs the turns. It fails only if ctx ends.
func (r Rounds) Take(ctx context.Context, turns []Turn) error {
	failed := make([]bool, len(turns))
	step := r.Before
	for round := range r.Count {
		for i, t := range turns {
			step++
			if failed[i] {
				continue
			}
			ev := Event{Step: step, Steps: r.Steps, Round: round + 1, Input: r.Input, Name: t.Name}
			r.notify(ev)
			run, err := t.Run(ctx, round == r.Count-1)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				failed[i] = true
				t.Fail(err)
			}
			ev.Done, ev.Run, ev.Err = true, run, err
			r.notify(ev)
		}
	}
	return nil
}

func (r Rounds) notify(e Event) {
	if r.Notify != nil {
		r.Notify(e)
	}
}
