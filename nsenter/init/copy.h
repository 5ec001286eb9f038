// What copy.c and attributes.c share: a copy of a directory's tree.
#pragma once
#include <linux/stat.h>

#include "sys.h"

enum { DEEP = 256, LIST_MAX = 65536, VALUE_MAX = 65536 };

// A directory, and its copy.
struct level {
	int from, to;
	u64 next; // where in it to go on
};

// A copy on its way.
struct copy {
	struct level level[DEEP];
	int depth;
	int links; // the directory links_name, or -1
	char key[33];
	char entries[8192] __attribute__((aligned(8)));
	char names[LIST_MAX], value[VALUE_MAX];
};

long look(int fd, const char *name, struct statx *st);
long own(int fd, const char *name, struct statx *st);
long times(int fd, const char *name, const struct statx *st);
long finish(struct copy *c, int from, int to, struct statx *st);
