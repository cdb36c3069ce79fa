// Package server is what is measured: our server and its peers, each in a
// process of its own, which serves one number of sites and makes changes of one
// site when it is told to.
//
// Read first: [Spec], what a process serves; [Target], what each kind must do;
// [Control], how it is told.
package server
