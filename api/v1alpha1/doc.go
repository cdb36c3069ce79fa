// Package v1alpha1 is the contract with the owners of sites: the StaticSite
// resource, its conditions and their reasons; and with those who give domains
// out: SiteDomainPolicy. It holds types and names, no behaviour.
//
// The deep copies here and the CRDs under manifests/crd are generated from these
// types (make generate). Two promises bind every change: a specification that
// is valid today keeps its meaning forever, and no field that a user owns ever
// gets a default (a default would show up as drift in Argo CD).
//
// The schema keeps bounds only. Whether a domain is a host name is judged by
// translation, which can say what to write instead, where a pattern could only
// show itself. A policy has no status to say so in, so its schema refuses more.
//
// Read first: StaticSiteSpec, StaticSiteStatus, and the conditions in
// conditions.go.
//
// +kubebuilder:object:generate=true
// +groupName=platform.my-company.com
package v1alpha1
