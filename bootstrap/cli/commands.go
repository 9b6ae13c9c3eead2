package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// commands returns the commands of x in the order of the help text.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.buildCommand(),
		a.distCommand(),
		a.verifyCommand(),
		a.diffCommand(),
		a.recompressCommand(),
		a.installCommand(),
		a.checkCommand(),
		a.configCommand(),
		a.explainCommand(),
		a.migrateCommand(),
		a.cleanCommand(),
		a.targetsCommand(),
		a.benchCommand(),
		a.versionCommand(),
	}
}

// printJSON prints v to stdout.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("printing the answer: %w", err)
	}
	return nil
}
