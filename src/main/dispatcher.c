/* dispatcher.c - wiring of the process that sends what is in the outbox, and events to their handlers, works at tasks in between, and watches cron. */
#include <sys/prctl.h>

#include "config.h"
#include "grapnel/forward.h"
#include "grapnel/job.h"
#include "grapnel/notify.h"
#include "grapnel/outbound.h"
#include "grapnel/task.h"

#include "dispatcher.h"
#include "id_worker.h"
#include "open_db.h"
#include "stop.h"

#define DRAIN_MS 12000		/* below the master's: an attempt takes ten seconds, and its result is to be stored */

int serve_dispatcher(const struct serve *s, unsigned slot)
{
	const struct conf *c = s->conf;
	struct id_maker ids;
	struct db *db = open_db(c);
	struct guard *guard = guard_new(c->outbound.allow, c->outbound.ports);
	struct sender *sender = sender_new("Grapnel/" PACKAGE_VERSION, guard);
	struct notifier *notifier = notifier_new(&(struct notify_config){ .db = db, .ids = &ids, .shm = s->shm });
	struct courier *courier = courier_new(&(struct courier_config){ .db = db, .seal = s->seal, .sender = sender, .ids = &ids, .shm = s->shm,
		.house = courier_house(c), .timeout_ms = c->outbound.timeout_ms, .link_ms = c->outbound.link_hours * MS_PER_HOUR });
	struct forwarder *forwarder = forwarder_new(&(struct forward_config){ .db = db, .seal = s->seal, .sender = sender, .ids = &ids,
		.shm = s->shm, .timeout_ms = c->outbound.timeout_ms });
	struct task_runner *tasks = task_runner_new(&(struct task_config){ .db = db, .shm = s->shm });
	struct watchman *watchman = watchman_new(db, &ids);
	struct exporter *exporter = s->spans ? exporter_new(&(struct exporter_config){ c, s->spans, sender, s->shm }) : NULL;
	const struct carrier carriers[] = { notifier_carrier(notifier), courier_carrier(courier), forwarder_carrier(forwarder), task_runner_carrier(tasks),
		watchman_carrier(watchman), exporter_carrier(exporter) };	/* the last one where there is any */

	prctl(PR_SET_NAME, "dispatcher");	/* in ps and in core files; the command line is the master's */
	stop_catch();
	signal(SIGPIPE, SIG_IGN);
	id_maker_init(&ids, id_worker_of_slot(c, slot));
	sender_set_hosts(sender, c->keys.test_hosts, c->keys.test_authorities);
	sender_set_spans(sender, s->spans);
	dispatch_run(&(struct dispatch){ .sender = sender, .shm = s->shm, .carriers = carriers, .carrier_n = ARRAY_SIZE(carriers) - !exporter, .stop = &told_to_stop,
		.drain_ms = DRAIN_MS });
	sender_free(sender);
	notifier_free(notifier);
	courier_free(courier);
	forwarder_free(forwarder);
	task_runner_free(tasks);
	watchman_free(watchman);
	exporter_free(exporter);
	guard_free(guard);
	db_free(db);
	return 0;
}
