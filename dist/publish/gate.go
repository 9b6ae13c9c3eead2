package publish

import (
	"context"
	"slices"

	"x.go/dist/verify"
)

// Gate verifies the channel before anything of it is public: o says how, and needs
// nothing of what is verified. rustup updates from what the store offers now.
// Of files that only other servers have, it asks whether they are there, and no more.
func (p *Plan) Gate(ctx context.Context, o verify.Options) (verify.Report, error) {
	o.Inputs = []string{p.options.Dir}
	o.Offered = p.store.FS
	o.AskElsewhere = true
	if len(o.Groups) == 0 || slices.Contains(o.Groups, verify.Channel) {
		o.Keyrings = p.options.Keyrings
	}
	return verify.Run(ctx, o)
}
