/* steps.js - what all stories are told with: small words for what somebody does and sees, and going their steps in order. */
"use strict";

const { PATIENCE_MS, Person } = require("./person");

const link = (me, name) => me.page.getByRole("link", { name, exact: true });
const button = (me, name) => me.page.getByRole("button", { name, exact: true });
const field = (me, name) => me.page.getByLabel(name, { exact: true });

async function sees(me, text) {
	await me.page.getByText(text).first().waitFor();
}

/* Goes by the navigation. */
async function goes(me, name) {
	await me.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: new RegExp(`^${name}\\b`) }).click();
	await me.page.getByRole("heading", { level: 1, name }).waitFor();
}

async function pathIs(me, pattern) {
	await me.page.waitForURL(url => pattern.test(url.pathname));
}

/* The first true value of what is asked again and again. */
async function until(what, ask) {
	const end = Date.now() + PATIENCE_MS;

	for (;;) {
		const value = await ask();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
		await new Promise(done => setTimeout(done, 100));
	}
}

/* Looks at the page anew until that is true of it; `look` is what it is. */
async function comesTo(me, what, look) {
	await until(`${what} on ${me.page.url()}`, async () => {
		if (await look())
			return true;
		await me.page.reload();
		return false;
	});
}

/* Until it says so. */
async function comesToSee(me, text) {
	await comesTo(me, text, () => me.page.getByText(text).count());
}

/* Presses it, and is refused with this status. */
async function isRefused(me, status, name) {
	await me.expecting(status, () => Promise.all([me.page.waitForResponse(r => r.status() === status), button(me, name).click()]));
}

/* Posts as a program does, on a connection of its own: one that rested might be closed by the server just now. */
function post(at, headers, body) {
	return fetch(at, { method: "POST", body, headers: { "Content-Type": "application/json", Connection: "close", ...headers } });
}

/* Steps of one person in order; the first that fails is the last. `options` are those of Person.arrive. */
async function go(world, report, label, which, options = {}) {
	const me = await Person.arrive(world, options);

	me.knows = { name: `Alerts ${label}` };
	for (const step of which)
		if (!await report(`${label}: ${step.name}`, () => step(me)))
			break;
	await report(`${label}: nothing to complain about`, () => me.leave());
}

module.exports = { button, comesTo, comesToSee, field, go, goes, isRefused, link, pathIs, post, sees, until };
