package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Credentials are what an API server believes: an administrator's token and the
// key that signs tokens of ServiceAccounts.
type Credentials struct {
	adminToken                    string
	tokens, publicKey, privateKey string // files
}

func newCredentials(dir string) (*Credentials, error) {
	c := &Credentials{
		adminToken: rand.Text(),
		tokens:     filepath.Join(dir, "tokens.csv"),
		publicKey:  filepath.Join(dir, "service-account.pub"),
		privateKey: filepath.Join(dir, "service-account.key"),
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for service accounts: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key for service accounts: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("encode the key for service accounts: %w", err)
	}
	for path, content := range map[string][]byte{
		c.tokens:     []byte(c.adminToken + ",admin,admin,system:masters\n"),
		c.privateKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		c.publicKey:  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("write credentials: %w", err)
		}
	}
	return c, nil
}

// ServiceAccountConfig returns what a client needs to act with the rights of a
// ServiceAccount, which must exist, and no others. Its token is good for an hour.
func (a *APIServer) ServiceAccountConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	token, err := a.token(ctx, namespace, name)
	if err != nil {
		return nil, fmt.Errorf("get a token of ServiceAccount %s/%s: %w", namespace, name, err)
	}
	return a.config(token), nil
}

func (a *APIServer) token(ctx context.Context, namespace, name string) (string, error) {
	client, err := dynamic.NewForConfig(a.AdminConfig())
	if err != nil {
		return "", err
	}
	accounts := client.Resource(corev1.SchemeGroupVersion.WithResource("serviceaccounts")).Namespace(namespace)
	request := Named("authentication.k8s.io/v1", "TokenRequest", namespace, name)
	answer, err := accounts.Create(ctx, request, metav1.CreateOptions{}, "token")
	if err != nil {
		return "", err
	}
	token, _, err := unstructured.NestedString(answer.Object, "status", "token")
	return token, err
}

// TokenID returns the name by which the audit log calls the token that a
// ServiceAccount's config has, so that two programs with the same rights can be
// told apart.
func TokenID(config *rest.Config) (string, error) {
	parts := strings.Split(config.BearerToken, ".")
	if len(parts) != 3 {
		return "", errors.New("read a token's id: it is no ServiceAccount's")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("read a token's id: %w", err)
	}
	var claims struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return "", fmt.Errorf("read a token's id: %w", err)
	}
	return claims.ID, nil
}

// WriteKubeconfig writes a kubeconfig for a program that is to use config, in
// namespace, and returns its path.
func (a *APIServer) WriteKubeconfig(config *rest.Config, namespace string) (path string, err error) {
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters["e2e"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthority: config.CAFile}
	kubeconfig.AuthInfos["e2e"] = &clientcmdapi.AuthInfo{Token: config.BearerToken}
	kubeconfig.Contexts["e2e"] = &clientcmdapi.Context{Cluster: "e2e", AuthInfo: "e2e", Namespace: namespace}
	kubeconfig.CurrentContext = "e2e"

	file, err := os.CreateTemp(filepath.Dir(a.caFile), "kubeconfig-*.yaml")
	if err != nil {
		return "", fmt.Errorf("write a kubeconfig: %w", err)
	}
	file.Close()
	if err := clientcmd.WriteToFile(*kubeconfig, file.Name()); err != nil {
		return "", fmt.Errorf("write a kubeconfig: %w", err)
	}
	return file.Name(), nil
}
