/* change.c - when a change is tried again. */
#include "resource_int.h"

#define CHANGE_TRIES 8		/* one of those who change a thing at once gets through at each */

bool changed_meanwhile(int done, int *tries, struct err *e)
{
	if (done >= 0 || e->code != ERR_CONFLICT || e->field[0] || e->told || ++*tries == CHANGE_TRIES)
		return false;
	*e = (struct err){ 0 };
	return true;
}
