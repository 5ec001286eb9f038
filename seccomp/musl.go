package seccomp

// musl.c is compiled only where cgo is in use.

import "C"
