// Package proc starts the real programs that tests and the playground run, and
// sees to it that none of them outlives whoever started it.
//
// A child runs in a process group of its own, so that a Ctrl-C on the terminal
// reaches only the program that started it, which then stops its children in
// order. Should that program die without a chance to do so (a panic, a test
// timeout, kill -9), the kernel kills the child: every child asks for that
// before it runs.
//
// What a child prints goes to a log file; an error about a child carries the
// last lines of it. Nothing here sleeps for a guessed time: a child is ready
// when its condition holds, and gone when the kernel says so.
//
// Read first: [Spec], what to start; [Process], what runs; [Owner], who answers
// for it.
package proc
