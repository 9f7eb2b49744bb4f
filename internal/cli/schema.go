package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/config"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a file",
		Long: `Schema prints the JSON Schema (draft 2020-12) of a file, by which editors complete
and check what is written. Editors with yaml-language-server take it from the
first line of a file:

  # yaml-language-server: $schema=evenkeel.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			text, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", text)
			return err
		},
	}
}
