package explain

import (
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// Reasons of this package's own: what no condition of a site can say.
const (
	reasonServed       = "Served"
	reasonStatusBehind = "StatusBehind" // it is served, and the site's status says something else
	reasonNoObjects    = "NoObjects"    // no StaticSite could be read
	reasonNoSuchSite   = "NoSuchSite"
	reasonNotClaimed   = "NotClaimed"   // no StaticSite names the domain
	reasonElsewhere    = "Elsewhere"    // the servers that were asked have it, and the status says that not all do
	reasonNoServer     = "NoServer"     // not all servers could be asked
	reasonServerBehind = "ServerBehind" // a server serves something else than the objects say
	reasonSilent       = "Silent"       // a proxy does not read what it is sent
)

// A step is what a reason means for a person: what is missing, as the end of a
// sentence that begins with the site, and the one next thing to do. Words in
// braces are filled in (explainer.words).
type step struct{ why, next string }

// steps has every reason of a condition, and this package's own.
var steps = map[string]step{
	// Accepted.
	v1alpha1.ReasonInvalidName: {"its name is not valid",
		"Make StaticSite {site} anew under another name: {message}"},
	v1alpha1.ReasonInvalidDomain: {"its spec.domain is not valid",
		"Correct StaticSite {site}: {message}"},
	v1alpha1.ReasonInvalidServiceName: {"its spec.backend.serviceName is not valid",
		"Correct StaticSite {site}: {message}"},
	v1alpha1.ReasonInvalidServicePort: {"its spec.backend.servicePort is not valid",
		"Correct StaticSite {site}: {message}"},
	v1alpha1.ReasonInvalidResponseHeaders: {"its spec.responseHeaders is not valid",
		"Correct StaticSite {site}: {message}"},
	v1alpha1.ReasonDomainConflict: {"{domain} belongs to StaticSite {holder}",
		"Write another spec.domain into StaticSite {site}, or have the owner of {holder} give up {domain} ({site} is served at once then)."},
	v1alpha1.ReasonDomainNotPermitted: {"a SiteDomainPolicy keeps namespace {namespace} from claiming {domain}",
		"Have whoever keeps the SiteDomainPolicies permit it, or write another domain: {message}"},
	v1alpha1.ReasonInvalidConfiguration: {"the configuration made of it is not valid",
		"Take this to whoever runs the operator: {message}"},

	// ResolvedRefs.
	v1alpha1.ReasonInvalidSpec: {"its spec.backend is not valid",
		"Correct spec.backend of StaticSite {site}."},
	v1alpha1.ReasonServiceNotFound: {"Service {service} does not exist",
		"Create Service {service}, or write another one of namespace {namespace} into spec.backend.serviceName of StaticSite {site}."},
	v1alpha1.ReasonPortNotFound: {"Service {service} has no port {port}",
		"Correct StaticSite {site}: {message}"},
	v1alpha1.ReasonUnsupportedServiceType: {"Service {service} is of type ExternalName",
		"Write a Service that has pods of its own into spec.backend.serviceName of StaticSite {site}."},
	v1alpha1.ReasonUnsupportedProtocol: {"port {port} of Service {service} speaks what the proxies do not",
		"Correct StaticSite {site}, or the Service: {message}"},
	v1alpha1.ReasonUnsupportedTargetPort: {"port {port} of Service {service} leads to a port of its pods that DNS does not tell",
		"Correct Service {service}: {message}"},
	v1alpha1.ReasonEndpointNotAllowed: {"an endpoint of Service {service} may not be used",
		"Take that endpoint out of its EndpointSlice, or have whoever runs the operator allow its range (--allow-endpoint-cidr; give this command the same)."},
	v1alpha1.ReasonTooManyEndpoints: {"Service {service} has more endpoints than are used",
		"Correct StaticSite {site}: {message}"},

	// Programmed.
	v1alpha1.ReasonNoProxies: {v1alpha1.MessageNoProxies,
		"Find out why no proxy reaches the server: the log of a proxy says; `staticsite-operator bootstrap` prints what one is started with."},
	v1alpha1.ReasonNotServing: {"no proxy serves any site",
		"Mend what keeps {behind} from serving: {error}"},
	v1alpha1.ReasonPending: {"not every proxy has acknowledged it yet",
		"Ask again in a few seconds; if it stays so, look at the log of {behind}."},
	v1alpha1.ReasonRejected: {"Envoy refuses it",
		"Correct what Envoy refuses in StaticSite {site} or, if that is no field of it, take Envoy's words to whoever runs the operator: {error}"},

	// What these say, another condition says with its reason.
	v1alpha1.ReasonAccepted:     {},
	v1alpha1.ReasonResolvedRefs: {},
	v1alpha1.ReasonProgrammed:   {},
	v1alpha1.ReasonNotSent:      {},
	v1alpha1.ReasonReady:        {},
	v1alpha1.ReasonNotReady:     {},

	v1alpha1.ReasonEndpointsReady:    {},
	v1alpha1.ReasonUnresolved:        {},
	v1alpha1.ReasonResolvedByProxies: {},

	// An event's, of what has happened.
	v1alpha1.ReasonTakenOver: {},

	// Not a condition's.
	reasonServed: {"it is served",
		"nothing, it is served."},
	reasonStatusBehind: {"it is served",
		"nothing for its readers; if the status stays as it is, look at the log of the replica that leads."},
	reasonNoObjects: {"the objects could not be read",
		"Let this command read the objects: {message}"},
	reasonNoSuchSite: {"there is no such StaticSite",
		"Create StaticSite {site}, or ask about one that exists."},
	reasonNotClaimed: {"no StaticSite names {domain}",
		"Apply this in your namespace, with your Service:"},
	reasonNoServer: {"what proxies have is not known",
		"Let this command reach the server: --server=HOST:PORT; for one in a cluster, kubectl port-forward -n operators deploy/staticsite-operator 9000"},
	reasonElsewhere: {"by its status not every proxy of all replicas has it",
		"Ask every replica (repeat --server), since each knows its own proxies; if all of them have it and the status stays so, look at the log of the replica that leads."},
	reasonServerBehind: {"{message}",
		"Ask again in a few seconds; if it stays so, look at the log of {server}, which does not see these objects or has other flags."},
	v1alpha1.ReasonNoEndpoints: {"Service {service} has no ready endpoint",
		"Get a pod of Service {service} ready: kubectl get endpointslices -n {namespace} -l kubernetes.io/service-name={serviceName}"},
	reasonSilent: {"a proxy does not read what it is sent",
		"Restart the proxy that does not read: {behind}."},
}

// fill puts what is known in the place of words in braces.
func fill(text string, known map[string]string) string {
	var pairs []string
	for word, value := range known {
		pairs = append(pairs, "{"+word+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// example is what a team writes to get a domain.
func example(domain string) string {
	first, _, _ := strings.Cut(domain, ".")
	return fill(`apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata:
  name: {first}
  namespace: my-team
spec:
  domain: {domain}
  backend:
    serviceName: my-service
    servicePort: 80
`, map[string]string{"domain": domain, "first": first})
}
