/* steps.js - what all stories are told with: small words for what somebody does and sees, and going their steps in order. */
"use strict";

const { Person } = require("./person");

const PATIENCE_MS = 30000;	/* for what happens elsewhere: another program is at work, the machine may be busy */

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

/* Looks at the page anew until it says so. */
async function comesToSee(me, text) {
	await until(`${text} on ${me.page.url()}`, async () => {
		if (await me.page.getByText(text).count())
			return true;
		await me.page.reload();
		return false;
	});
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

module.exports = { button, comesToSee, field, go, goes, link, pathIs, sees, until };
