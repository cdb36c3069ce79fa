package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/files"
	"my-company.com/staticsite-operator/translate"
)

func translateCommand() *cobra.Command {
	var flags translateFlags
	var output string
	cmd := &cobra.Command{
		Use:   "translate PATH",
		Short: "Print the Envoy resources that a folder (or file) of sites is translated to",
		Args:  onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options()
			if err != nil {
				return err
			}
			if err := oneOf("--output", output, "yaml", "json"); err != nil {
				return err
			}
			loaded, err := files.Load(args[0])
			if err != nil {
				return err
			}
			for _, p := range loaded.Problems {
				fmt.Fprintln(cmd.ErrOrStderr(), p)
			}
			text, err := render(translate.NewWorld(opts).Apply(loaded.Objects).Resources, output)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "yaml or json")
	return cmd
}

// render prints resources as a list, each with its "@type".
func render(resources []translate.Resource, output string) ([]byte, error) {
	list := make([]json.RawMessage, 0, len(resources))
	for _, r := range resources {
		wrapped, err := anypb.New(r.Message)
		if err != nil {
			return nil, fmt.Errorf("print %s %s: %w", r.Type, r.Name, err)
		}
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(wrapped)
		if err != nil {
			return nil, fmt.Errorf("print %s %s: %w", r.Type, r.Name, err)
		}
		list = append(list, text)
	}
	if output == "yaml" {
		return yaml.Marshal(list)
	}
	text, err := json.MarshalIndent(list, "", "  ")
	return append(text, '\n'), err
}
