package e2e

import (
	"testing"

	"my-company.com/staticsite-operator/e2e/netns"
)

func TestMain(m *testing.M) { netns.Main(m) }
