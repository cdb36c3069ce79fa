package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/files"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

func lintCommand() *cobra.Command {
	var flags translateFlags
	cmd := &cobra.Command{
		Use:   "lint PATH",
		Short: "Check a folder (or file) of sites; one line a problem",
		Long: "Check the StaticSites, Services, EndpointSlices, SiteDomainPolicies and Namespaces of a folder as the server would.\n" +
			"Prints one line a problem (file, object, field, remedy) and exits with 1 if there is any.",
		Args: onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options()
			if err != nil {
				return err
			}
			loaded, err := files.Load(args[0])
			if err != nil {
				return err
			}
			problems := len(loaded.Problems)
			for _, p := range loaded.Problems {
				fmt.Fprintln(cmd.OutOrStdout(), p)
			}
			delta := translate.NewWorld(opts).Apply(loaded.Objects)
			for _, p := range delta.Problems {
				problems++
				file := loaded.Files[object.Ref{Kind: object.KindPolicy, Key: p.Policy}]
				fmt.Fprintf(cmd.OutOrStdout(), "%s: SiteDomainPolicy %s: %s: %s\n", file, p.Policy, p.Field, p.Problem)
			}
			sites := 0
			for _, v := range delta.Verdicts {
				sites++
				for _, c := range []translate.Condition{v.Accepted, v.ResolvedRefs} {
					if c.OK || c.Message == "" || c.Reason == v1alpha1.ReasonInvalidSpec {
						continue // The last follows from what Accepted says.
					}
					problems++
					file := loaded.Files[object.Ref{Kind: object.KindSite, Key: v.Site}]
					fmt.Fprintf(cmd.OutOrStdout(), "%s: StaticSite %s: %s\n", file, v.Site, c.Message)
				}
			}
			if problems > 0 {
				return fmt.Errorf("lint %s: %s in %s", args[0], count(problems, "problem"), count(sites, "site"))
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s, no problems\n", count(sites, "site"))
			return nil
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
