/* comfort.js - what the script adds to pages that are complete without it: lists that follow their filter, keys, fresh figures, copy
 * buttons, the box that ticks all. On the instance that world.py furnished. */
"use strict";

const assert = require("node:assert/strict");

const { Person } = require("./person");

const rows = me => me.page.locator("table.rows tbody tr");

async function listsFollowTheirFilter(me) {
	await me.visit("/events");
	const all = await rows(me).count();
	const field = me.page.getByRole("searchbox").first();
	await field.pressSequentially("cmd");
	await me.page.waitForURL(url => url.search === "?q=cmd");
	await me.page.locator("main").getByRole("link", { name: "Clear", exact: true }).waitFor();
	assert(await rows(me).count() < all, "fewer rows");
	assert.equal(await field.evaluate(f => f === document.activeElement && f.value), "cmd", "one goes on typing");
	await field.fill("nothing is called so");
	await me.page.getByText("Nothing matches").or(me.page.getByText(/^No events?/)).first().waitFor();
	await field.fill("");
	await me.page.waitForURL(url => url.search === "");
	await rows(me).nth(all - 1).waitFor();
}

async function keysWalkAListAndAct(me) {
	await me.visit("/incidents");
	for (const key of ["j", "j", "k"])
		await me.page.keyboard.press(key);
	const first = rows(me).first();
	assert.equal(await first.locator("a").first().evaluate(a => a === document.activeElement), true, "the first row has the focus");
	await me.page.keyboard.press("a");
	await me.page.getByRole("heading", { level: 1, name: /^(Acknowledge 1 incident|Nothing)/ }).waitFor();
	await me.page.goBack();
	await me.page.keyboard.press("/");
	assert.equal(await me.page.getByRole("searchbox").first().evaluate(f => f === document.activeElement), true, "the filter has it");
	await me.page.keyboard.press("j");
	assert.equal(await me.page.getByRole("searchbox").first().inputValue(), "j", "letters are typed into fields");
}

async function oneBoxTicksAll(me) {
	await me.visit("/incidents");
	const boxes = me.page.locator("td input[type=checkbox]");
	await me.page.getByRole("checkbox", { name: /all/i }).check();
	assert.equal(await boxes.evaluateAll(all => all.every(b => b.checked)), true, "all are ticked");
}

async function figuresAreFresh(me) {
	await me.page.clock.install();
	await me.visit("/");
	await me.page.locator("#live").evaluate(live => live.setAttribute("data-old", ""));
	await me.page.clock.fastForward(21000);
	await me.page.locator("#live:not([data-old])").waitFor();
}

async function keysAreCopied(me) {
	await me.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
	await me.visit("/integrations");
	await me.page.getByRole("link", { name: "Prometheus", exact: true }).first().click();
	const address = await me.page.locator("code[data-copy]").first().textContent();
	await Promise.all([me.page.getByRole("button", { name: "Copied" }).waitFor(),	/* for two seconds */
		me.page.getByRole("button", { name: "Copy" }).first().click()]);
	assert.equal(await me.page.evaluate(() => navigator.clipboard.readText()), address);
}

async function comfort(world, report) {
	const me = await Person.arrive(world);

	await me.signIn();
	for (const step of [listsFollowTheirFilter, keysWalkAListAndAct, oneBoxTicksAll, keysAreCopied, figuresAreFresh])
		await report(`comfort: ${step.name}`, () => step(me));
	await report("comfort: nothing to complain about", () => me.leave());
}

module.exports = { comfort };
