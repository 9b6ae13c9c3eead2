package publish

import (
	"context"
	"slices"

	"x.go/dist/verify"
)

// Gate verifies the channel, as it will be public, before anything of it is: o says how, and needs
// nothing of what is verified. rustup updates from what the store offers now.
// Of files that only other servers have, it asks whether they are there, and no more.
func (p *Plan) Gate(ctx context.Context, o verify.Options) (verify.Report, error) {
	o.Inputs = []string{p.options.Dir}
	o.Public = p.remade()
	o.Offered = p.store.FS
	o.AskElsewhere = true
	if len(o.Groups) == 0 || slices.Contains(o.Groups, verify.Channel) {
		o.Keyrings = p.options.Keyrings
	}
	return verify.Run(ctx, o)
}
