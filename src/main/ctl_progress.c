/* ctl_progress.c - how far a long command is: a bar on a terminal, else a plain line now and then. On standard error, so that the answer
 * can be piped. */
#include <unistd.h>

#include "ctl_int.h"

#define BAR 24				/* columns */
#define BAR_US 100000			/* between two pictures */
#define LINE_US 5000000			/* between two lines */
#define RATE_US 1000000			/* a rate is that of a second at least: five in a microsecond are not five million */

static bool is_time(struct ctl_progress *p, int64_t now_us, bool over)
{
	int64_t wait_us = p->bar ? BAR_US : LINE_US;

	if (!over && p->told_us && now_us - p->told_us < wait_us)
		return false;
	p->told_us = now_us;
	return true;
}

/* "1:02:03" */
static const char *span(char *text, size_t n, uint64_t seconds)
{
	if (seconds >= 3600)
		snprintf(text, n, "%u:%02u:%02u", (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
	else
		snprintf(text, n, "%u:%02u", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
	return text;
}

static void picture(const struct ctl_progress *p, double done, uint64_t n, uint64_t rate, uint64_t left_s)
{
	char bar[BAR + 1], left[32];
	int full = done < 0 ? 0 : (int)(done * BAR);

	memset(bar, '.', BAR);
	memset(bar, '#', (size_t)full);
	bar[BAR] = '\0';
	fprintf(stderr, "\r\033[K%-20s [%s] %3.0f %%  %llu  %llu/s", p->what, bar, done < 0 ? 0 : done * 100, (unsigned long long)n,
		(unsigned long long)rate);
	if (done > 0 && done < 1)
		fprintf(stderr, "  %s left", span(left, sizeof(left), left_s));
}

static void line(const struct ctl_progress *p, double done, uint64_t n, uint64_t rate)
{
	fprintf(stderr, "%s: %llu, %llu/s", p->what, (unsigned long long)n, (unsigned long long)rate);
	if (done >= 0)
		fprintf(stderr, ", %.0f %%", done * 100);
	fputc('\n', stderr);
}

void ctl_progress(struct ctl_progress *p, const char *what, double done, uint64_t n)
{
	int64_t now_us = clock_mono_us(), spent_us;
	bool another = p->what != what;
	uint64_t rate;

	if (p->ctl->json)
		return;
	if (another) {
		ctl_progress_end(p);
		p->bar = isatty(STDERR_FILENO);
		p->what = what;
		p->began_us = now_us;
		p->told_us = p->bar ? 0 : now_us;
	}
	if (!is_time(p, now_us, done >= 1 && p->drawn))
		return;
	p->drawn = true;
	spent_us = now_us - p->began_us + 1;
	rate = (uint64_t)((double)n * 1e6 / (double)(spent_us > RATE_US ? spent_us : RATE_US));
	if (p->bar)
		picture(p, done > 1 ? 1 : done, n, rate, done > 0 ? (uint64_t)((double)spent_us / 1e6 * (1 - done) / done) : 0);
	else
		line(p, done, n, rate);
}

void ctl_progress_end(struct ctl_progress *p)
{
	if (p->drawn && p->bar)
		fputc('\n', stderr);
	p->drawn = false;
	p->what = NULL;
}
