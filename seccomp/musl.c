/*
 * Debian's libseccomp.a is compiled for glibc with _FORTIFY_SOURCE. All that it needs and
 * musl lacks is this one function.
 */
#include <stdarg.h>
#include <stdio.h>

#ifndef __GLIBC__

int __fprintf_chk(FILE *file, int flag, const char *format, ...);

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
	va_list args;
	int n;

	(void)flag;
	va_start(args, format);
	n = vfprintf(file, format, args);
	va_end(args);
	return n;
}

#endif
