package v1alpha1

// The types of a StaticSite's conditions, in the order in which they stand in
// its status. The first five are there from the first visit. Of the last two, which
// are for tools that know no others (kstatus, Flux), a status has the one that is
// True: the conventions of these tools call a condition of trouble absent when
// there is none.
const (
	ConditionAccepted     = "Accepted"     // the specification is valid and the domain is this site's
	ConditionResolvedRefs = "ResolvedRefs" // what the specification names exists
	ConditionProgrammed   = "Programmed"   // every serving proxy acknowledged exactly this generation
	ConditionReady        = "Ready"        // all of the above

	// ConditionEndpointsReady: the Service has an endpoint that requests are sent to.
	// It is no part of Ready, which says that the site is configured everywhere: pods
	// come and go, and their own workload says how they are.
	ConditionEndpointsReady = "EndpointsReady"

	ConditionReconciling = "Reconciling" // Ready is Unknown: wait; reason and message are those of what it waits for
	ConditionStalled     = "Stalled"     // Ready is False: waiting will not mend it; reason and message are those of what will
)

// Conditions is their order.
var Conditions = [...]string{
	ConditionAccepted, ConditionResolvedRefs, ConditionProgrammed, ConditionReady, ConditionEndpointsReady, ConditionReconciling, ConditionStalled,
}

// Reasons of Accepted.
const (
	ReasonAccepted               = "Accepted"
	ReasonInvalidName            = "InvalidName"            // the object's own name or namespace
	ReasonInvalidDomain          = "InvalidDomain"          // spec.domain is not a host name that can be served
	ReasonInvalidServiceName     = "InvalidServiceName"     // spec.backend.serviceName cannot name a Service
	ReasonInvalidServicePort     = "InvalidServicePort"     // spec.backend.servicePort is not a port
	ReasonInvalidResponseHeaders = "InvalidResponseHeaders" // spec.responseHeaders has a header that cannot be changed, or a wrong value
	ReasonDomainConflict         = "DomainConflict"         // another site holds the domain
	ReasonDomainNotPermitted     = "DomainNotPermitted"     // a SiteDomainPolicy does not let the site's namespace claim the domain

	// ReasonInvalidConfiguration: what was made of the site is not valid Envoy
	// configuration, although its specification is.
	ReasonInvalidConfiguration = "InvalidConfiguration"
)

// Reasons of ResolvedRefs.
const (
	ReasonResolvedRefs           = "ResolvedRefs"
	ReasonInvalidSpec            = "InvalidSpec" // spec.backend names nothing that could be looked up
	ReasonServiceNotFound        = "ServiceNotFound"
	ReasonPortNotFound           = "PortNotFound"
	ReasonUnsupportedServiceType = "UnsupportedServiceType" // ExternalName could point anywhere
	ReasonUnsupportedProtocol    = "UnsupportedProtocol"    // the port is not a TCP port, or its appProtocol cannot be spoken
	ReasonUnsupportedTargetPort  = "UnsupportedTargetPort"  // upstreams dns: a headless Service whose target port no number names
	ReasonEndpointNotAllowed     = "EndpointNotAllowed"     // an endpoint is in a range that is not served
	ReasonTooManyEndpoints       = "TooManyEndpoints"       // more than are used
)

// Reasons of Programmed.
const (
	ReasonProgrammed = "Programmed"
	ReasonNoProxies  = "NoProxies"  // no proxy that serves is connected, so nobody can say
	ReasonNotServing = "NotServing" // proxies are connected, and none has a listener and routes
	ReasonPending    = "Pending"    // under way; the message says how far
	ReasonRejected   = "Rejected"   // a proxy refused the configuration; the message is its own
	ReasonNotSent    = "NotSent"    // the site is not accepted, so there is nothing to acknowledge
)

// Reasons of EndpointsReady, which is also Unknown with NotSent.
const (
	ReasonEndpointsReady    = "EndpointsReady"
	ReasonNoEndpoints       = "NoEndpoints"
	ReasonUnresolved        = "Unresolved"        // there is no Service port whose endpoints could be looked up
	ReasonResolvedByProxies = "ResolvedByProxies" // upstreams dns
)

// ReasonTakenOver is the reason of an Event, and of no condition: this site holds
// a domain now that it was refused as another's.
const ReasonTakenOver = "TakenOver"

// Reasons of Ready.
const (
	ReasonReady    = "Ready"
	ReasonNotReady = "NotReady" // the message repeats the condition that is missing
)
