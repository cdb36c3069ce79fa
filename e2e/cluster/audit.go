package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// auditPolicy records each finished request once, without bodies but for what is
// written into the status of a site.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- {level: Request, resources: [{group: platform.my-company.com, resources: [staticsites/status]}]}
- {level: Metadata}
`

// A Request is one request that the API server has answered.
type Request struct {
	User     string // "admin", or "system:serviceaccount:<namespace>:<name>"
	Token    string // of a ServiceAccount: which of its tokens, see TokenID
	Verb     string // get, list, watch, create, update, patch, delete, ...
	Group    string // "" is the core group
	Resource string // "services"; with a subresource "staticsites/status"
	Object   string // "<namespace>/<name>", "<name>" or ""
	Code     int    // HTTP status

	Body string // JSON, of a write of a site's status
}

// IsWrite says whether the request meant to change something.
func (r Request) IsWrite() bool {
	return !slices.Contains([]string{"get", "list", "watch"}, r.Verb)
}

// Requests returns what was asked of this API server so far, in the order of the
// answers. A watch is there once it has ended.
func (a *APIServer) Requests() ([]Request, error) {
	text, err := os.ReadFile(a.auditLog)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	var requests []Request
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // being written
		}
		request, err := parseAudit(line)
		if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		requests = append(requests, request)
	}
	return requests, nil
}

func parseAudit(line []byte) (Request, error) {
	var event struct {
		Verb string `json:"verb"`
		User struct {
			Username string              `json:"username"`
			Extra    map[string][]string `json:"extra"`
		} `json:"user"`
		ObjectRef struct {
			APIGroup    string `json:"apiGroup"`
			Resource    string `json:"resource"`
			Subresource string `json:"subresource"`
			Namespace   string `json:"namespace"`
			Name        string `json:"name"`
		} `json:"objectRef"`
		ResponseStatus struct {
			Code int `json:"code"`
		} `json:"responseStatus"`
		RequestObject json.RawMessage `json:"requestObject"`
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return Request{}, err
	}
	object := event.ObjectRef
	request := Request{
		User:     event.User.Username,
		Verb:     event.Verb,
		Group:    object.APIGroup,
		Resource: object.Resource,
		Object:   object.Name,
		Code:     event.ResponseStatus.Code,
		Body:     string(event.RequestObject),
	}
	if ids := event.User.Extra["authentication.kubernetes.io/credential-id"]; len(ids) == 1 {
		request.Token = strings.TrimPrefix(ids[0], "JTI=")
	}
	if object.Subresource != "" {
		request.Resource += "/" + object.Subresource
	}
	if object.Namespace != "" && object.Resource != "namespaces" {
		request.Object = object.Namespace + "/" + object.Name
	}
	return request, nil
}
