package main

// Go starts as if GOMAXPROCS=1 were in its environment, unless it is set: with more, the
// runtime starts threads that a command of a few milliseconds has no work for (run: 0.4 of
// 5 ms). The linker's --wrap=main, scripts/build.sh, puts this in front of Go's own entry;
// a build without it is only slower.

/*
#include <string.h>

extern int __real_main(int, char **) __attribute__((weak));

static int set(char **env)
{
	for (; *env; env++)
		if (!strncmp(*env, "GOMAXPROCS=", 11))
			return 1;
	return 0;
}

// Go reads the arguments, the environment and the auxiliary vector behind it in one piece.
int __wrap_main(int argc, char **argv)
{
	char **env = argv + argc + 1;
	size_t count = 0, aux, words;

	if (set(env))
		return __real_main(argc, argv);
	while (env[count])
		count++;
	for (aux = count + 1; env[aux]; aux += 2)
		;
	words = (size_t)argc + 1 + aux + 2;
	char *block[words + 1];
	memcpy(block, argv, ((size_t)argc + 1) * sizeof(*argv));
	block[argc + 1] = "GOMAXPROCS=1";
	memcpy(block + argc + 2, env, (aux + 2) * sizeof(*env));
	return __real_main(argc, block);
}
*/
import "C"
