// Package integration holds the rows that run against the real binary: what a user or a
// manager sees, and what is left behind afterwards.
//
// RT names the binary (absolute, or a name on PATH; default ../rt). The same rows run with
// RT=runc or RT=crun; a row where such a peer is known to differ says why and is skipped
// there, and every skip is printed at the end; RT_ALL=1 runs these rows too, to see whether
// the reasons still hold. RT_CRASH_POINTS is the number of points at
// which TestCrash kills `create` (default 12).
package integration
