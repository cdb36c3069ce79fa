// Package gather reads the facts that explain explains: the objects of a folder or a
// cluster, and what the proxies of servers hold.
//
// It explains nothing. What to look for next follows from the facts so far, and explain
// says that (Facts.Domain, Facts.Clusters, Facts.Service). What cannot be read is noted in
// the facts, with the reason, and the rest is read all the same.
//
// Read first: Facts and Sources (gather.go), then ClientStatus (clientstatus.go).
package gather
