/* SPDX-License-Identifier: MIT */
/* Replies that another thread makes. libmicrohttpd forgets a suspended connection until it is
 * resumed, and then calls as if the request had just become whole. */
#include "http/http_priv.h"

bool http_reply_suspend(struct http_reply *r)
{
	struct http_req *req = r->req;
	struct http *h = req->h;
	mutex_lock(&h->lock);
	bool room = h->suspended_n < HTTP_SUSPENDED_MAX && !h->stopping;
	h->suspended_n += room;
	mutex_unlock(&h->lock);
	if (room) {
		req->suspended = true;
		MHD_suspend_connection(req->mhd);
	}
	return room;
}

void http_reply_resume(struct http_reply *r)
{
	struct http *h = r->req->h;
	http_worker_resume(r->req->connection->worker, r);
	mutex_lock(&h->lock);
	h->suspended_n--;
	if (h->stopping)
		cond_broadcast(&h->changed);
	mutex_unlock(&h->lock);
}

void http_suspended_drain(struct http *h)
{
	mutex_lock(&h->lock);
	while (h->suspended_n > 0)
		cond_wait(&h->changed, &h->lock);
	mutex_unlock(&h->lock);
}
