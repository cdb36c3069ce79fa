// Package files hands over the same objects as a cluster would, from a folder of
// YAML, and says in the log and in a status file what became of them.
//
// People edit these files while they are served, so nothing here believes a
// first look: a file is read when it has been quiet for a moment, a mistake in it
// costs nothing that was good before, and what seems to have gone is given time
// to come back. A file with any mistake in it loses no object, since what is left
// of a file that was cut mostly ends in one. What cannot be told from a wish is a
// file that is cut exactly between two objects, or within its very last value,
// and stays so for a second. Nothing outside the folder is read, whatever links
// there are in it, and nothing in it is written.
//
// Read first: catalog.Catalog (which objects are served and from which file), Source
// (the folder and its events), Status (what is said of the sites).
package files
