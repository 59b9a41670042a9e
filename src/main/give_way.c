#include "give_way.h"

int64_t give_way_us(int64_t took_us, uint64_t webhooks, unsigned web_workers, unsigned processors)
{
	if (took_us <= 0 || 3 * web_workers <= processors || webhooks * 1000000 < GIVE_WAY_PER_S * (uint64_t)took_us)
		return 0;
	return took_us * (3 * web_workers - processors) / processors;
}
