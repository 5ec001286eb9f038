// Package integration holds the rows that run against the real binary: what a user or a
// manager sees, and what is left behind afterwards.
//
//	RT               the binary: absolute, or a name on PATH; default ../rt. The same rows
//	                 run with RT=runc and RT=crun
//	RT_ALL=1         runs also the rows on which a peer is said to differ, to see whether
//	                 the reasons still hold
//	RT_CRASH_POINTS  at how many points TestCrash and TestTerm end `create`; default 12
//
// Every skipped row is printed at the end with its reason. Go shows the output of a package
// that passes only with -v, or when `go test` runs in the package's own directory.
package integration
