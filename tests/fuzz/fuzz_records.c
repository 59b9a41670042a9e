/* The gate's promise: what the record walk calls whole, libfcgi reads to its end without an error, and both see the same
 * method, uri and body. And: pieces make no difference. The first byte of the input is the size of the pieces. */
#include <fcgiapp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "src/http/records_int.h"

static enum records_result feed(struct records *r, const uint8_t *p, size_t n, size_t piece)
{
	enum records_result result = RECORDS_MORE;
	size_t used, take;

	while (n && result != RECORDS_BAD) {
		take = n < piece ? n : piece;
		result = records_feed(r, p, take, &used);
		must(used <= take);
		must(used == take || result == RECORDS_PARAMS || result == RECORDS_BAD);
		must(r->params_n <= HTTP_PARAMS_MAX);
		p += used;
		n -= used;
	}
	return result;
}

static bool same(const char *have, struct str want)
{
	return have && str_eq(str_of(have), want);
}

static void read_by_libfcgi(const uint8_t *p, size_t n, const struct records *r)
{
	FCGX_Request rq;
	char body[4096];
	uint64_t got = 0;
	int m;

	FCGX_Init();
	FCGX_InitRequest(&rq, -1, 0);
	rq.ipcFd = memfd_create("fuzz", MFD_CLOEXEC);
	must(rq.ipcFd >= 0 && pwrite(rq.ipcFd, p, n, 0) == (ssize_t)n);
	rq.keepConnection = 1;
	FCGX_Detach(&rq);
	must(!FCGX_Accept_r(&rq));
	must(same(FCGX_GetParam("REQUEST_METHOD", rq.envp), r->method));
	must(same(FCGX_GetParam("REQUEST_URI", rq.envp), r->uri));
	while ((m = FCGX_GetStr(body, sizeof(body), rq.in)) > 0)
		got += (uint64_t)m;
	must(!FCGX_GetError(rq.in) && got == r->stdin_n);
	close(rq.ipcFd);
	FCGX_Free(&rq, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct records once = { 0 }, pieces = { 0 };
	enum records_result result;

	if (!n)
		return 0;
	result = feed(&once, data + 1, n - 1, n);
	must(feed(&pieces, data + 1, n - 1, data[0] + 1u) == result);
	must(once.whole == (result == RECORDS_WHOLE) || result == RECORDS_BAD);
	if (result != RECORDS_BAD) {
		must(once.seen == pieces.seen && once.seen == n - 1 && once.stdin_n == pieces.stdin_n);
		must(str_eq(once.method, pieces.method) && str_eq(once.uri, pieces.uri));
	}
	if (result == RECORDS_WHOLE)
		read_by_libfcgi(data + 1, n - 1, &once);
	records_release(&once);
	records_release(&pieces);
	return 0;
}
