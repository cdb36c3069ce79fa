package envoy

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"my-company.com/staticsite-operator/e2e/parts"
)

// Validate returns what Envoy has against a configuration, nil if it would run
// with it. Only what is static in it is looked at.
func Validate(ctx context.Context, bootstrap string) error {
	binary, err := parts.Envoy()
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "envoy-*.yaml")
	if err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(bootstrap); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	cmd := exec.CommandContext(ctx, binary, "--mode", "validate", "--config-path", file.Name(), "--log-level", "error", "--disable-hot-restart")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("envoy --mode validate: %w: %s", err, out)
	}
	return nil
}
