// Package feature has the features of a site: the fields of a specification that a
// site can do without, a file for each. A feature's file says which values are wrong,
// what the site's virtual host has for it, and how explain puts that into words.
//
// A new feature is
//
//	a field of v1alpha1.SiteFeatures, bounded in the schema (make generate)
//	a file here, and its row in All (feature.go), in the order in which features act
//	a reason in v1alpha1, and what to do about it in explain/next.go
//	a folder feature-NAME in testdata/translate, and rows in translate/evil/features.go
//	a row in docs/sites.md
//
// and nothing else: the field is decoded, carried, compared and withheld with the rest
// of the specification. Tests fail for each of these that is missing.
//
// What must stay true: a site without any feature renders, byte for byte, what it would
// render if there were no features. A feature writes into the virtual host of its own
// site and nowhere else. A tenant's text is never a part of a format string, a regular
// expression or a script.
//
// Read first: Feature and Part (feature.go); responseheaders.go as an example.
package feature
