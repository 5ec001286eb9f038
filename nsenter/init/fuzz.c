// Feeds the init, on the fake kernel of fuzz_kernel.c: any bytes as a plan, any results
// from the system calls. Built with -DFUZZ and a sanitizer, without start.c:
//
//	fuzz [-t SECONDS] [-s SEED] [FILE...]
//
// Each FILE is one input, run once; without a file, inputs are made up until the time is
// over. The one that ends badly is left in ./fuzz-crash.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

void __sanitizer_set_death_callback(void (*)(void));

enum { INPUT_MAX = sizeof(fuzz.input) };

struct fuzz fuzz;

u8 byte(void) { return fuzz.next < fuzz.len ? fuzz.input[fuzz.next++] : 0; }

u32 word(void)
{
	u32 v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | byte();
	return v;
}

static void run_input(void)
{
	fuzz.plan = 0;
	if (fuzz.len >= 4)
		memcpy(&fuzz.plan, fuzz.input, 4);
	if (fuzz.len < 4 || fuzz.plan > fuzz.len - 4)
		fuzz.plan = fuzz.len < 4 ? 0 : fuzz.len - 4;
	fuzz.next = fuzz.plan + 4;
	fuzz.dangling = byte() % 8 == 1;
	memset(&init, 0, sizeof(init));
	if (!setjmp(fuzz.end)) {
		int fds[PASSED_MAX];
		int count = PASSED_MAX;

		for (int i = 0; i < PASSED_MAX; i++)
			fds[i] = 4 + i;
		if (byte() % 4 == 0)
			count = hear_plan(3, fds, &init.base);
		if (count < 0 || load(fds[0]) < 0 || adopt(3, fds, count) < 0)
			fuzz.ends[REFUSED]++;
		else
			fail(run());
	}
	while (fuzz.map_count)
		free(fuzz.maps[--fuzz.map_count]);
}

static u64 number = 1; // of the input that is made up, and all that it depends on
static u64 seed;

static u32 dice(u32 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 20) % n;
}

static u32 put_text(u8 *plan, u32 *at, u32 n)
{
	static const char *const texts[] = {"/a/b/c", "../..", "/", "tool", "/bin:/sbin::", "a/../b//c/", "lo", "tmpfs", "/proc/self/fd/5"};
	const char *t = texts[dice(sizeof(texts) / sizeof(*texts))];
	u32 begin;

	*at = (*at + 7) & ~7u;
	begin = *at;
	if (n < 4000 && dice(8)) {
		n = (u32)strlen(t);
		memcpy(plan + begin, t, n);
	} else {
		u32 room = begin < INPUT_MAX - 9000 ? INPUT_MAX - 9000 - begin : 0;
		u8 often = "/a"[dice(2)];

		n = n < room ? n : room;
		for (u32 i = 0; i < n; i++)
			plan[begin + i] = dice(3) && often == '/' ? (u8)(1 + dice(255)) : often;
	}
	plan[begin + n] = 0;
	*at = begin + n + 1;
	return begin;
}

// Mostly short, at times around the sizes of the init's buffers, or longer.
static u32 text_length(void)
{
	static const u32 sizes[] = {253, 4000, 4093, 4200};

	return dice(16) ? dice(300) : sizes[dice(4)] + dice(5);
}

static void make_step(u8 *plan, struct step *s, u32 *at)
{
	static const u64 numbers[] = {0, 1, 8, 0x2080, 1u << 31, ~0ull};

	s->kind = (u16)(1 + dice(KIND_COUNT - 1));
	s->flags = (u16)dice(dice(4) ? 4 : 0x10000);
	s->in = (u8)dice(SLOT_COUNT);
	s->out = (u8)dice(SLOT_COUNT);
	s->a = numbers[dice(6)] ^ dice(16);
	s->b = numbers[dice(6)];
	s->c = numbers[dice(6)];
	if (dice(4)) {
		s->s = put_text(plan, at, text_length());
		s->s_len = (u32)strlen((char *)plan + s->s);
	}
	if (dice(2)) {
		s->t = put_text(plan, at, text_length());
		s->t_len = (u32)strlen((char *)plan + s->t);
	}
}

// make_plan is a valid plan with random steps.
static u32 make_plan(u8 *plan)
{
	struct header h = {PLAN_MAGIC, PLAN_VERSION, 0, 1 + dice(12), 0, 1 + dice(3), dice(3), 0, {0}};
	u32 at;

	for (int i = 0; i < 32; i++)
		h.slot[i] = dice(3) ? -1 : (int)dice(dice(32) ? PASSED_MAX : 40);
	h.pointers = (u32)sizeof(h) + h.steps * (u32)sizeof(struct step);
	at = h.pointers + 8 * (h.args + h.env + 4);
	for (u32 i = 0; i < h.args + h.env; i++) {
		u64 offset = put_text(plan, &at, dice(40));

		memcpy(plan + h.pointers + 8 * (i < h.args ? i : i + 1), &offset, 8);
	}
	for (u32 i = 0; i < h.steps; i++)
		make_step(plan, (struct step *)(plan + sizeof(h)) + i, &at);
	h.size = at;
	memcpy(plan, &h, sizeof(h));
	return at;
}

// damage changes single bytes, or makes offsets point at the wrong place.
static void damage(u8 *plan, u32 len)
{
	struct header *h = (struct header *)plan;
	struct step *s = (struct step *)(plan + sizeof(*h)) + dice(h->steps + 1);

	switch (dice(4)) {
	case 0:
		h->pointers = 8 * dice(len / 8);
		break;
	case 1:
		s->s = dice(len);
		s->s_len = dice(dice(2) ? 8 : len);
		break;
	default:
		plan[dice(2) ? dice(len) : dice(PLAN_HEADER)] = (u8)dice(256);
	}
}

// make_input: a valid plan, in half of the cases damaged, or cut.
static void make_input(void)
{
	static _Alignas(8) u8 plan[INPUT_MAX];
	u32 len;

	seed = number * 0x9e3779b97f4a7c15ull + 1;
	memset(plan, 0, sizeof(plan));
	len = make_plan(plan);
	for (u32 i = dice(2) * (1 + dice(3)); i && ((struct header *)plan)->steps < 64; i--)
		damage(plan, len);
	if (!dice(16))
		len = dice(len);
	memcpy(fuzz.input, &len, 4);
	memcpy(fuzz.input + 4, plan, len);
	fuzz.len = 4 + len + dice(dice(4) ? 1000 : 8000);
	for (size_t i = 4 + len; i < fuzz.len; i++)
		fuzz.input[i] = (u8)(dice(3) ? dice(160) : dice(256));
}

static void keep(void)
{
	FILE *f = fopen("fuzz-crash", "wb");

	if (f) {
		fwrite(fuzz.input, 1, fuzz.len, f);
		fclose(f);
	}
	fprintf(stderr, "input %llu is in ./fuzz-crash\n", (unsigned long long)number);
}

static void hang(int signal)
{
	(void)signal;
	fprintf(stderr, "one input took more than 5 s\n");
	keep();
	_exit(2);
}

static void replay(const char *name)
{
	FILE *f = fopen(name, "rb");

	if (!f) {
		perror(name);
		exit(2);
	}
	fuzz.len = fread(fuzz.input, 1, INPUT_MAX, f);
	fclose(f);
	run_input();
}

int main(int argc, char **argv)
{
	time_t until;
	int seconds = 10, option;

	while ((option = getopt(argc, argv, "t:s:")) != -1)
		if (option == 't')
			seconds = atoi(optarg);
		else if (option == 's')
			number = strtoull(optarg, 0, 0) << 32;
	__sanitizer_set_death_callback(keep);
	signal(SIGALRM, hang);
	for (int i = optind; i < argc; i++)
		replay(argv[i]);
	for (until = time(0) + seconds; optind == argc && time(0) < until; number++) {
		if (number % 1024 == 1)
			alarm(5);
		make_input();
		run_input();
	}
	printf("%lu system calls; plans refused %lu, failed %lu, ended %lu, executed %lu\n", fuzz.calls, fuzz.ends[REFUSED],
	       fuzz.ends[FAILED], fuzz.ends[ENDED], fuzz.ends[EXECUTED]);
	return 0;
}
