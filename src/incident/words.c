/* The words for the status of an incident, as API, pages and tables spell them. */
#include "grapnel/incident.h"

static const char *const status_words[] = {
	[INCIDENT_NONE] = "",
	[INCIDENT_OPEN] = "OPEN",
	[INCIDENT_ACKNOWLEDGED] = "ACKNOWLEDGED",
	[INCIDENT_RESOLVED] = "RESOLVED",
};

const char *incident_status_word(enum incident_status s)
{
	return status_words[s];
}

bool incident_status_parse(struct str s, enum incident_status *out)
{
	for (enum incident_status i = INCIDENT_OPEN; i <= INCIDENT_RESOLVED; i++)
		if (str_ieqs(s, status_words[i])) {
			*out = i;
			return true;
		}
	return false;
}
