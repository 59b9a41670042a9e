/* story.js - what an administrator does with a new installation, in his order: he signs in, makes an integration of the gallery, sees
 * on its set-up page why a first request was refused and that the next one is good, sends a test and watches the incident open,
 * acknowledges, notes, resolves, rotates the key, finds the refused request with its reason, makes a channel and tries it, makes an alert
 * rule, signs out.
 *
 * The same steps are gone with scripts and without. What is looked for are the words that a person looks for. */
"use strict";

const assert = require("node:assert/strict");

const { button, field, go, goes, isRefused, link, pathIs, post, sees, until } = require("./steps");

/* ---- the sender ---- */

let alertsSent = 0;

/* Posts as Alertmanager does, with that key; the status of the answer. */
async function send(at, key) {
	const now = new Date().toISOString();
	const answer = await post(at, { Authorization: `Bearer ${key}` }, JSON.stringify({ version: "4", status: "firing",
		alerts: [{ status: "firing", labels: { alertname: "DiskFull" }, annotations: { summary: "Disk of db1 is full" }, startsAt: now,
			fingerprint: `story${process.pid}x${alertsSent++}` }] }));
	return answer.status;
}

/* ---- the steps; `me.knows` is what he has noted ---- */

async function isAskedToSignIn(me) {
	await me.page.goto("/incidents?severity=HIGH");
	await pathIs(me, /^\/login$/);
	await me.page.getByLabel("Name", { exact: true }).fill(me.world.user);
	await me.page.getByLabel("Password", { exact: true }).fill("not this");
	await isRefused(me, 403, "Sign in");
	await me.page.getByRole("alert").waitFor();
	assert.equal(await me.page.getByLabel("Name", { exact: true }).inputValue(), me.world.user, "the name is kept");
	assert.equal(await me.page.getByLabel("Password", { exact: true }).inputValue(), "", "the password is not");
}

async function signsInAndIsWhereHeWanted(me) {
	await me.page.getByLabel("Password", { exact: true }).fill(me.world.password);
	await button(me, "Sign in").click();
	await pathIs(me, /^\/incidents$/);
	assert.match(me.page.url(), /severity=HIGH/);
}

async function seesTheFirstSteps(me) {
	await goes(me, "Overview");
	await sees(me, "First steps");
	await link(me, "Create an integration").click();
	await pathIs(me, /^\/integrations\/new$/);
}

/* With scripts the gallery follows; without, Enter asks for it. */
async function findsATypeInTheGallery(me) {
	const types = me.page.locator("a.tile-type");

	await me.page.goto("/integrations/new");
	const all = await types.count();
	await me.page.getByRole("searchbox").fill("bearer alertmanager");
	if (!me.scripts)
		await me.page.keyboard.press("Enter");
	await me.page.waitForURL(url => url.searchParams.get("q") === "bearer alertmanager");
	await me.page.waitForFunction(n => document.querySelectorAll("a.tile-type").length < n, all);
	assert.equal(await types.count(), 1);
	assert.equal(await me.page.getByRole("heading", { level: 2 }).count(), 1, "groups without a card are not there");
}

async function readsHowTheTypeWorks(me) {
	await me.page.getByRole("link", { name: /^Prometheus/ }).click();
	for (const text of ["What proves the sender", "What it does when it is answered with an error", /api\/integrations\/prometheus\/in_/])
		await sees(me, text);
}

async function createsAnIntegrationFromTheGallery(me) {
	await me.page.goto("/integrations/new");
	await me.page.getByRole("link", { name: /^Prometheus/ }).click();
	await me.page.getByLabel("Name", { exact: true }).fill(me.knows.name);
	await me.page.getByText("More: addresses, limits, silence, retention").click();
	await me.page.getByLabel("Addresses").fill("not an address");
	await isRefused(me, 400, "Make the integration");
	await sees(me, /must be addresses or networks/);
	assert.equal(await me.page.getByLabel("Name", { exact: true }).inputValue(), me.knows.name, "what was typed is kept");
	await me.page.getByLabel("Addresses").fill("");
	await button(me, "Make the integration").click();
	await pathIs(me, /\/setup$/);
}

async function readsAddressAndKey(me) {
	const texts = await me.page.locator("[data-copy]").allTextContents();

	me.knows.key = texts.join("\n").match(/\b[0-9a-f]{32}\b/)[0];
	me.knows.at = texts.join("\n").match(/http:\/\/\S+\/in_[0-9a-z]{20}/)[0];
	me.knows.id = me.knows.at.match(/in_[0-9a-z]{20}/)[0];
	await sees(me, "No request yet");
}

async function seesWhyTheFirstRequestWasRefused(me) {
	assert.equal(await send(me.knows.at, "0".repeat(32)), 401);
	if (!me.scripts)	/* the page that shows the key does not go away by itself */
		await link(me, "Look again").click();
	await sees(me, "Request seen, refused: Invalid key");
}

async function seesThatTheNextIsGood(me) {
	assert.equal(await send(me.knows.at, me.knows.key), 201);
	await sees(me, "Verified");
}

async function sendsATest(me) {
	await link(me, "To the integration").click();
	await button(me, "Send test").click();
	await pathIs(me, /\/tests\//);
	for (const stage of [/received/i, /proven/i, /mapped/i, /stored/i])
		await sees(me, stage);
	await me.page.locator("a[href^='/incidents/']").first().click();
	await pathIs(me, /^\/incidents\/\d+$/);
	await sees(me, /^open$/);
	await sees(me, /^test$/);
}

async function acknowledgesAndNotes(me) {
	await button(me, "Acknowledge").click();
	await sees(me, /^acknowledged$/);
	await me.page.getByLabel("Note").fill("Somebody <b>looks</b> at it");
	await button(me, "Add note").click();
	await sees(me, "Somebody <b>looks</b> at it");
	assert.equal(await button(me, "Acknowledge").count(), 0);
}

async function resolves(me) {
	await button(me, "Resolve").click();
	await sees(me, /^resolved$/);
	await button(me, "Reopen").waitFor();
}

async function rotatesTheKey(me) {
	await me.page.goto(`/integrations/${me.knows.id}`);
	await link(me, "Rotate").first().click();
	await me.page.getByLabel("The old one stays good for").selectOption("0");
	await button(me, "Rotate").click();
	const shown = me.page.getByRole("status").locator("[data-copy]");
	await shown.waitFor();
	const key = (await shown.textContent()).trim();
	assert.match(key, /^[0-9a-f]{32}$/);
	assert.equal(await send(me.knows.at, key), 201, "the new key");
	assert.equal(await send(me.knows.at, me.knows.key), 401, "the old key");
	me.knows.key = key;
	await me.page.reload();
	assert.equal(await shown.count(), 0, "a key is shown once");
}

async function findsTheRefusedRequest(me) {
	await goes(me, "Requests");
	await me.page.getByRole("link", { name: /^Refused/i }).click();
	await me.page.getByRole("link", { name: "Invalid key" }).first().click();
	await pathIs(me, /^\/requests\/\d+$/);
	await sees(me, "Invalid key");
	await sees(me, "It is not the key of this integration.");
	assert.deepEqual(await me.page.locator("section:has(#proof) li").evaluateAll(all => all.map(li => li.className)), ["done", "failed"]);
	assert(!(await me.page.content()).includes("0".repeat(32)), "what was sent as a key is masked");
}

/* No server of this machine takes mail: that is what the test says. */
async function makesAChannel(me) {
	await goes(me, "Channels");
	await link(me, "New channel").click();
	await me.page.getByRole("link", { name: /^Signed webhook/ }).click();
	await me.page.getByLabel("Name", { exact: true }).fill("Our program");
	await me.page.getByLabel("URL", { exact: true }).fill("http://127.0.0.1/hook");
	await isRefused(me, 400, "Make the channel");
	await sees(me, "It leads to an address that is not allowed");
	assert.equal(await me.page.getByLabel("Name", { exact: true }).inputValue(), "Our program", "the name is kept");
	await goes(me, "Channels");
	await link(me, "New channel").click();
	await me.page.getByRole("link", { name: /^E-mail/ }).click();
	await me.page.getByLabel("Name", { exact: true }).fill(`Mail ${me.knows.name}`);
	await me.page.getByLabel("To", { exact: true }).fill("ops@example.org\nboss@example.org");
	await button(me, "Make the channel").click();
	await pathIs(me, /^\/channels\/ch_/);
	await sees(me, "ops@example.org, boss@example.org");
}

async function triesTheChannel(me) {
	await button(me, "Send test").click();
	await sees(me, "The test was not taken. It does not take the connection.");
	await link(me, `Test of the channel Mail ${me.knows.name}`).first().click();	/* a mail for each of the two */
	await pathIs(me, /\/deliveries\/\d+$/);
	await sees(me, "Number 1");
	await link(me, `Mail ${me.knows.name}`).click();
}

async function switchesTheChannelOff(me) {
	await link(me, "Edit").click();
	await me.page.getByLabel("Switched on").uncheck();
	await me.page.getByLabel("Of these").selectOption({ label: "critical things only" });
	await button(me, "Save").click();
	await sees(me, "disabled");
	await sees(me, "incidents, monitor alerts, critical and above");
}

async function deletesTheChannel(me) {
	await link(me, "Delete").click();
	await sees(me, "What waits to be sent to it is given up.");
	await button(me, "Delete the channel").click();
	await sees(me, "The channel is deleted.");
}

async function makesAnAlertRule(me) {
	await goes(me, "Alert rules");
	await link(me, "New rule").click();
	await me.page.getByLabel("Name", { exact: true }).fill(`Quiet ${me.knows.name}`);
	await me.page.getByLabel("This figure").selectOption({ label: "Success rate" });
	await me.page.getByLabel("is", { exact: true }).selectOption({ label: "below" });
	await me.page.getByLabel("this threshold").fill("95 %");
	await me.page.getByLabel("This integration").selectOption({ label: me.knows.name });
	await isRefused(me, 400, "Make the rule");
	await sees(me, /must be a number/);
	await me.page.getByLabel("this threshold").fill("0.95");
	await button(me, "Make the rule").click();
	await sees(me, "The rule is there.");
	await sees(me, `Success rate in the last hour: below 0.95 (${me.knows.name})`);
}

async function changesAndDeletesTheRule(me) {
	await button(me, `Switch off the rule Quiet ${me.knows.name}`).click();
	await sees(me, /^disabled$/);
	await link(me, `Quiet ${me.knows.name}`).click();
	await me.page.getByLabel("in the last so many minutes").fill("90");
	await me.page.getByLabel("Switched on").check();
	await button(me, "Save").click();
	await sees(me, /in the last 90 minutes: below 0\.95/);
	await link(me, `Delete the rule Quiet ${me.knows.name}`).click();
	await button(me, "Delete the rule").click();
	await sees(me, "You have no alert rules");
}

async function makesAScheduleOfTurns(me) {
	await goes(me, "Schedules");
	await link(me, "New schedule").click();
	await me.page.getByLabel("Name", { exact: true }).fill(`Night ${me.knows.name}`);
	await me.page.getByLabel("Time zone", { exact: true }).fill("Europe/Berlin");
	await button(me, "Create").click();
	await sees(me, "Nobody takes turns yet");
	await link(me, "Add a layer").first().click();
	await me.page.getByLabel("Number 1", { exact: true }).selectOption({ index: 1 });
	await me.page.getByLabel("Lasts", { exact: true }).fill("2");
	await me.page.getByLabel("Of", { exact: true }).selectOption({ label: "weeks" });
	await button(me, "Add the layer").click();
	await sees(me, /every 2 weeks, hand-over Mon at 09:00/);
}

async function takesOver(me) {
	const from = await me.page.getByLabel("From", { exact: true }).inputValue();

	await me.page.getByLabel("To", { exact: true }).fill(`${Number(from.slice(0, 4)) + 1}${from.slice(4, 8)}01T00:00`);
	await button(me, "Take over").click();
	await sees(me, / takes over\.$/);
	await me.page.getByRole("link", { name: /^Take back/ }).click();
	await sees(me, /^Take back the override of .*\?$/);
	await button(me, "Take it back").click();
	await sees(me, "The override is taken back.");
}

async function plansMaintenance(me) {
	await goes(me, "Maintenance");
	await link(me, "New window").click();
	await field(me, "Name").fill(`Patches ${me.knows.name}`);
	assert.equal(await field(me, "Begins at").isVisible(), false, "what recurs is asked of what recurs alone");
	await field(me, "It applies").selectOption({ label: "weekly" });
	await field(me, "Begins at").fill("03:00");
	await field(me, "Lasts, in minutes").fill("90");
	await isRefused(me, 400, "Make the window");
	await field(me, "Sunday").check();
	await button(me, "Make the window").click();
	await sees(me, "The window is there.");
	await link(me, "Delete").click();
	await button(me, "Delete the maintenance window").click();
	await sees(me, "Deleted.");
}

async function hasTheMonitorLookBeforeItActs(me) {
	await goes(me, "Monitor");
	await sees(me, "Oldest event that waits");
	await link(me, "Remove what is old").click();
	await me.page.getByLabel("Older than so many days").fill("30");
	await button(me, "See what it would do").click();
	await sees(me, "0 rows would be removed.");
	assert.equal(await me.page.getByLabel("Older than so many days").inputValue(), "30", "what was asked is kept");
	await link(me, "Back to the monitor").click();
	await link(me, "Find duplicates").click();
	await button(me, "Find them").click();
	await sees(me, /events came more than once\./);
	await link(me, "Back to the monitor").click();
	await link(me, "All monitor alerts").click();
	await me.page.getByRole("heading", { level: 1, name: "Monitor alerts" }).waitFor();
}

/* Cron may be at it, too. */
async function runsAJob(me) {
	await goes(me, "Jobs");
	await until("sessions ran", async () => {
		await button(me, "Run now: sessions").click();
		await sees(me, /^sessions (ran: |is running already)/);
		return me.page.getByText(/^sessions ran: /).count();
	});
}

async function findsWhatHeDidInTheAuditLog(me) {
	await goes(me, "Audit log");
	for (const action of ["integration.create", "integration.rotate_key", "incident.resolve", "monitor.find-duplicates", "job.run"])
		await sees(me, action);
}

async function signsOut(me) {
	await button(me, "Sign out").click();
	await pathIs(me, /^\/login$/);
	await me.page.goto("/incidents");
	await pathIs(me, /^\/login$/);
}

const steps = [isAskedToSignIn, signsInAndIsWhereHeWanted, seesTheFirstSteps, findsATypeInTheGallery, readsHowTheTypeWorks,
	createsAnIntegrationFromTheGallery, readsAddressAndKey, seesWhyTheFirstRequestWasRefused, seesThatTheNextIsGood, sendsATest, acknowledgesAndNotes,
	resolves, rotatesTheKey, findsTheRefusedRequest, makesAChannel, triesTheChannel, switchesTheChannelOff, deletesTheChannel, makesAScheduleOfTurns,
	takesOver, plansMaintenance, makesAnAlertRule, changesAndDeletesTheRule, hasTheMonitorLookBeforeItActs, runsAJob, findsWhatHeDidInTheAuditLog,
	signsOut];

/* ---- stories ---- */

async function withScripts(world, report) {
	await go(world, report, "with scripts", steps);
}

/* The first steps are gone once there was a test. */
async function withoutScripts(world, report) {
	await go(world, report, "without scripts", steps.filter(s => s !== seesTheFirstSteps), { scripts: false });
}

async function smoke(world, report) {
	await go(world, report, "smoke", [isAskedToSignIn, signsInAndIsWhereHeWanted, createsAnIntegrationFromTheGallery,
		readsAddressAndKey, seesThatTheNextIsGood, signsOut]);
}

module.exports = { withScripts, withoutScripts, smoke };
