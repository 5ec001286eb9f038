// Package managers runs real container managers with rt, and with runc beside it: each row is
// something that their users do. It needs root, the managers (make deps-managers) and the
// build tag "managers"; make managers runs it and prints a table, manager by case.
//
// The tests run in mount, PID, network, IPC and UTS namespaces of their own, with an own
// /run, /var/lib and /etc: what a manager writes there is gone with them.
package managers
