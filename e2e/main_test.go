package e2e

import (
	"testing"

	"my-company.com/staticsite-operator/e2e/netns"
)

// Most of the time these tests wait, for leases, timeouts and each other's processes.
func TestMain(m *testing.M) {
	netns.MainEach(m, "TestManySites", "TestTrafficWhileOthersChange", "TestKilledUnderTraffic", "TestAPIServerOutages",
		"TestCluster", "TestReplicas", "TestLeaderElection", "TestImage", "TestIsolation")
}
