/* tasks.h - long work: how far it is, and cancelling it; events once more. */
#ifndef GRAPNEL_DASH_TASKS_H
#define GRAPNEL_DASH_TASKS_H

#include "dash_int.h"

/* A task in the words of a page. */
struct task_shown {
	struct task_view task;
	const char *title, *changed;
	struct str events_url;		/* the list that it is done to */
	uint64_t percent;		/* of what is known */
	bool can_cancel;
};

struct tasks_page {
	struct page page;
	struct task_shown *tasks;
	size_t tasks_n;
	struct list_nav nav;
};

struct task_page {
	struct page page;
	struct task_shown x;
};

void page_tasks(void *visit);
void page_task(void *visit);
void page_task_cancel(void *visit);

/* replay.c */
void page_event_retry(void *visit);
void page_replay_ask(void *visit);
void page_replay(void *visit);

#endif
