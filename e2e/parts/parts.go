package parts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// rootModule is the first line of the go.mod that stands in the project's folder.
const rootModule = "module my-company.com/staticsite-operator\n"

// Root returns the project's folder: the one at or above the working directory
// whose go.mod is the main module's.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the project's folder: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte(rootModule)) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the project's folder; run this from there", start)
		}
	}
}

// controlPlane is what a $KUBEBUILDER_ASSETS folder holds.
var controlPlane = []string{"etcd", "kube-apiserver", "kubectl"}

// Find returns the path of a tool that `make tools` builds: kube-apiserver, etcd,
// kubectl, grpcurl or controller-gen. $KUBEBUILDER_ASSETS, if set, has the first three.
func Find(name string) (string, error) {
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" && slices.Contains(controlPlane, name) {
		path := filepath.Join(assets, name)
		if err := executable(path); err != nil {
			return "", fmt.Errorf("$KUBEBUILDER_ASSETS is set but has no %s (%w); complete it, or unset it and run `make tools`", name, err)
		}
		return path, nil
	}
	return inProject(filepath.Join(".tools", "bin", name), "tools")
}

// Operator returns the path of our own binary, which `make build` builds.
func Operator() (string, error) {
	return inProject(filepath.Join("bin", "staticsite-operator"), "build")
}

// inProject returns a file of the project's folder that a make target provides.
func inProject(path, target string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path = filepath.Join(root, path)
	if err := executable(path); err != nil {
		return "", fmt.Errorf("there is no %s (%w); run `make %s`", filepath.Base(path), err, target)
	}
	return path, nil
}

// envoyVersion matches the version that tools/envoy pins, in what
// `envoy --version` prints.
var envoyVersion = regexp.MustCompile(`/1\.40\.\d+/`)

// Envoy returns the path of the Envoy to run: $ENVOY, else an envoy on PATH if it
// is of the pinned version, else the one that tools/envoy/install installed.
func Envoy() (string, error) {
	if path := os.Getenv("ENVOY"); path != "" {
		if err := executable(path); err != nil {
			return "", fmt.Errorf("$ENVOY is no Envoy (%w); correct or unset it", err)
		}
		return path, nil
	}
	if path, err := exec.LookPath("envoy"); err == nil {
		if version, err := exec.Command(path, "--version").Output(); err == nil && envoyVersion.Match(version) {
			return path, nil
		}
	}
	path, err := inProject(filepath.Join(".tools", "bin", "envoy"), "tools")
	if err != nil {
		return "", fmt.Errorf("%w, or set $ENVOY to an Envoy 1.40", err)
	}
	return path, nil
}

// executable says why a path cannot be run, nil if it can.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder", path)
	case info.Mode()&0o111 == 0:
		return errors.New(path + " is not executable")
	}
	return nil
}
