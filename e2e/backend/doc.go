// Package backend stands in for the pods of sites: HTTP servers, one for each
// address, that say which site and pod they are, or serve a folder of pages.
//
// They run inside the program that starts them. A pod that goes away does so as a
// deleted pod does: connections end, new ones are refused.
//
// Read first: [Pod] and [Start].
package backend
