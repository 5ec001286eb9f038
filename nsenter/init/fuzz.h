// What the two halves of the fuzzer share.
#pragma once
#include <setjmp.h>

#include "sys.h"

enum { REFUSED, FAILED, ENDED, EXECUTED, ENDS };

extern struct fuzz {
	u8 input[32768]; // 4 bytes with the length of the plan, the plan, what drives the kernel
	size_t len;
	size_t next; // of the input's bytes, for the kernel
	size_t plan; // the plan's length
	int dangling; // every path ends in a link to another
	void *maps[4];
	int map_count;
	jmp_buf end;
	unsigned long calls, ends[ENDS];
} fuzz;

u8 byte(void);
u32 word(void);
