// Package report writes down what was measured: as text for a terminal, as JSON,
// as the tables of a Markdown page and as plots.
//
// Read first: [Report], everything of one run; [Target], what was to be reached.
package report
