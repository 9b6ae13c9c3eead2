package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// addCommands adds all commands, in groups and in the order of the help: each
// group starts with the command that people need first.
func (a *app) addCommands(root *cobra.Command) {
	for _, g := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{"Build", []*cobra.Command{a.buildCommand(), a.distCommand(), a.installCommand(), a.uninstallCommand(), a.cleanCommand()}},
		{"Check", []*cobra.Command{a.checkCommand(), a.migrateCommand(), a.verifyCommand(), a.inspectCommand(), a.diffCommand(), a.doctorCommand(), a.optOutsCommand()}},
		{"Ask", []*cobra.Command{a.explainCommand(), a.configCommand(), a.targetsCommand(), a.layoutCommand(), a.versionCommand()}},
		{"Publish", []*cobra.Command{a.channelCommand(), a.publishCommand(), a.mirrorCommand(), a.serveCommand(), a.recompressCommand(), a.installerCommand(), a.benchCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.id + ":"})
		for _, c := range g.commands {
			c.GroupID = g.id
		}
		root.AddCommand(g.commands...)
	}
	root.SetHelpCommand(a.helpCommand())
	root.SetHelpCommandGroupID("Ask")
	root.SetCompletionCommandGroupID("Ask")
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.RunE, completion.Args = root.RunE, unknownCommand // cobra takes any word
		completion.Short = "Print the completion script of a shell"
		completion.Long = "Print the script by which a shell completes the command line of x.\n`x completion SHELL --help` says where to install it."
		completion.Example = "  x completion bash\n  x completion zsh\n  x completion fish"
		hideGlobals(completion, "config", "set", "build-dir", "sysroot", "jobs", "dry-run", "quiet", "verbose", "json")
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
