// Package claims decides which site has which domain, within what policies permit.
//
// It is pure and incremental, like the rest of translation: sites, policies and
// namespaces come in through Book.Change, Book.Policy and Book.Namespace, which
// mark what the change may concern. Book.Decide then decides the marked domains
// and returns them, with the sites whose verdict may be different now.
//
// Two questions are answered here and nowhere else:
//
//	Whose domain is it?       order.go, the order of claims
//	Who may have the domain?  grants.go, what all policies together permit
//
// docs/decisions.md ("Whose domain is it?") and docs/domain-policy.md say both in
// the words of users.
//
// Read first: Book (book.go).
package claims
