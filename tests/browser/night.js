/* night.js - a whole night: in the evening an administrator says by forms who is on call and who is next, a pager is proven by its code, programs and a
 * status page are told too. Then a signed alert comes; who is on call sleeps on; the next one is woken, looks at the mail's link on a telephone, where
 * nobody is signed in, and acknowledges; the sender says that it is over; in the morning the pages have the story, and files of it.
 *
 * Who is told stands in outside.py: the steps wait for what came there. Its clock is moved only for the wait between two steps of the escalation. */
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");

const { inspect, keep, none } = require("./inspect");
const { Person } = require("./person");
const { button, comesTo, comesToSee, field, goes, isRefused, link, pathIs, post, sees, until } = require("./steps");

const REPOSITORY = `acme/night-${process.pid}`;
const ANNA = { name: "anna", password: "sleeps through it all", mail: "anna@example.org" };
const BERT = { name: "bert", password: "is woken by the next page", mail: "bert@example.org" };
const SECRET = "signs what a build tells";

/* ---- outside ---- */

async function outside(n, path, method = "GET") {
	return (await fetch(n.world.outside.sink + path, { method })).json();
}

/* The mails that somebody has got, once they are so many. */
function mails(n, who, count) {
	return until(`${count} mails to ${who.name}`, async () => {
		const got = await outside(n, `/mails?to=${who.mail}`);
		return got.length >= count ? got : null;
	});
}

/* As GitHub tells of a build that ended so. */
async function build(n, conclusion) {
	const body = JSON.stringify({ action: "completed", workflow: { name: "CI" },
		workflow_run: { id: 1, name: "CI", head_branch: "main", status: "completed", conclusion, workflow_id: 1,
			html_url: "https://github.com/acme/shop/actions/runs/1", head_repository: { id: 7 } },
		repository: { id: 7, name: "shop", full_name: REPOSITORY, html_url: "https://github.com/acme/shop", default_branch: "main" } });
	const answer = await post(n.at, { "X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": crypto.randomUUID(),
		"X-Hub-Signature-256": `sha256=${crypto.createHmac("sha256", SECRET).update(body).digest("hex")}` }, body);

	assert.equal(answer.status, 201);
	return (await answer.json()).result.incident.id;
}

/* The page is as good as every other; tidy reads it later. */
async function looksGood(me, name) {
	const html = Buffer.from(await me.page.content());

	none(await inspect(me, html));
	keep(me.world.out, name, html);
}

const text = async locator => (await locator.innerText()).replace(/\s+/g, " ");

async function statusPageSays(n, what) {
	await n.phone.visit("/status/shop");
	await comesTo(n.phone, what, async () => what.test(await text(n.phone.page.locator("main"))));
}

/* ---- the evening ---- */

async function makesColleagues(n) {
	for (const who of [ANNA, BERT]) {
		await goes(n.boss, "Users");
		await link(n.boss, "New user").click();
		await field(n.boss, "Name").fill(who.name);
		await field(n.boss, "Email").fill(who.mail);
		await field(n.boss, "Role").selectOption("operator");
		await field(n.boss, "Password").fill(who.password);
		await button(n.boss, "Make the user").click();
		await sees(n.boss, "The user is made.");
	}
}

async function provesAPager(n, me, who) {
	await me.signIn("/login", who);
	await me.page.goto("/account");
	await field(me, "By").selectOption({ label: "E-mail" });
	await field(me, "Address, number or topic").fill(who.mail);
	await button(me, "Add, and send it a code").click();
	await sees(me, "A code of six digits is on its way.");
	const [mail] = await mails(n, who, 1);
	const code = mail.subject.match(/\b\d{6}\b/)[0];
	const codeField = field(me, `The code that was sent to ${who.mail}`);
	await codeField.fill(code === "000000" ? "000001" : "000000");
	await isRefused(me, 400, "Verify");
	await sees(me, "This is not the code.");
	await codeField.fill(code);
	await button(me, "Verify").click();
	await sees(me, "This contact is verified: you can be paged there.");
}

async function colleaguesProveTheirPagers(n) {
	await provesAPager(n, n.anna, ANNA);
	await provesAPager(n, n.bert, BERT);
}

async function putsSomebodyOnCall(n) {
	await goes(n.boss, "Schedules");
	await link(n.boss, "New schedule").click();
	await field(n.boss, "Name").fill("First line");
	await field(n.boss, "Time zone").fill("Europe/Berlin");
	await button(n.boss, "Create").click();
	await link(n.boss, "Add a layer").first().click();
	await field(n.boss, "Number 1").selectOption({ label: ANNA.name });
	await field(n.boss, "The first turn begins").fill("2026-01-05");
	await button(n.boss, "Add the layer").click();
	await sees(n.boss, /On call now: anna/);
}

async function saysWhoIsNext(n) {
	await goes(n.boss, "Policies");
	await link(n.boss, "New policy").click();
	await field(n.boss, "Name").fill("Shop");
	await n.boss.page.locator("#targets1").selectOption({ label: "First line" });
	await n.boss.page.locator("#delay1").fill("5");
	await n.boss.page.locator("#targets2").selectOption({ label: BERT.name });
	await n.boss.page.locator("#repeat").fill("1");
	await button(n.boss, "Make the policy").click();
	await sees(n.boss, /\b5 minutes later/);
}

async function makesAChannelForTheTeam(n) {
	await goes(n.boss, "Channels");
	await link(n.boss, "New channel").click();
	await n.boss.page.getByRole("link", { name: /^Slack/ }).click();
	await field(n.boss, "Name").fill("#shop");
	await field(n.boss, "Webhook URL").fill(n.world.outside.slack);
	await button(n.boss, "Make the channel").click();
	await button(n.boss, "Send test").click();
	await sees(n.boss, /^(It was taken: 200|Nobody has sent it yet)/);
	await comesToSee(n.boss, /^sent$/);
}

async function makesAServiceOfIt(n) {
	await goes(n.boss, "Services");
	await link(n.boss, "New service").click();
	await field(n.boss, "Name").fill("Shop");
	await n.boss.page.getByLabel("Who is paged for its incidents").selectOption({ label: "Shop" });
	await button(n.boss, "Create").click();
	await sees(n.boss, "The service is there.");
	await goes(n.boss, "Status page");
	await field(n.boss, "Address").fill("shop");
	await field(n.boss, "Title").fill("Shop status");
	await n.boss.page.getByLabel("Services that it shows").fill("Shop");
	await n.boss.page.getByLabel(/^Show the titles of incidents/).check();
	await n.boss.page.getByLabel("Everybody may see it").check();
	await button(n.boss, "Save").click();
	await sees(n.boss, "Saved. Everybody may see the page.");
}

async function connectsTheSender(n) {
	await n.boss.page.goto("/integrations/new/github");
	await field(n.boss, "Name").fill("Builds");
	await field(n.boss, "Service").selectOption({ label: "Shop" });
	await field(n.boss, "Signature secret of your own").fill(SECRET);
	await button(n.boss, "Make the integration").click();
	await pathIs(n.boss, /\/setup$/);
	n.at = (await n.boss.page.locator("[data-copy]").allTextContents()).join("\n").match(/http:\/\/\S+\/in_[0-9a-z]{20}/)[0];
}

async function tellsAProgram(n) {
	await goes(n.boss, "Endpoints");
	await link(n.boss, "New endpoint").click();
	await field(n.boss, "URL").fill(n.world.outside.hook);
	await field(n.boss, "What it is told of").fill("incident.*");
	await field(n.boss, "Signing secret").fill(n.world.outside.secret);
	await button(n.boss, "Make the endpoint").click();
	await pathIs(n.boss, /^\/endpoints\/ep_/);
	n.endpoint = new URL(n.boss.page.url()).pathname;
}

/* ---- the night ---- */

async function anAlertPagesWhoIsOnCall(n) {
	n.incident = `/incidents/${await build(n, "failure")}`;
	const mail = (await mails(n, ANNA, 2))[1];
	assert.match(mail.subject, /CI/);
	assert(mail.text.includes(n.incident), mail.text);
	for (const [where, what] of [["/slack", "CI"], ["/hook", "incident.opened"]])
		await until(`${where} is told`, async () => (await outside(n, where)).some(t => t.text.includes(what)));
	assert.equal((await outside(n, `/mails?to=${BERT.mail}`)).length, 1, "nobody else is woken");
}

async function nobodyActsSoTheNextIsPaged(n) {
	await outside(n, "/minutes/5", "POST");
	const mail = (await mails(n, BERT, 2))[1];
	n.links = Object.fromEntries([...mail.text.matchAll(/^(Acknowledge|Resolve): https?:\/\/[^/\s]+(\S+)$/gm)].map(m => [m[1], m[2]]));
	assert.deepEqual(Object.keys(n.links), ["Acknowledge", "Resolve"]);
}

/* What looks is not what acts: mail servers look at all links. */
async function looksAtTheLink(n) {
	for (let i = 0; i < 2; i++) {
		await n.phone.visit(n.links.Acknowledge);
		await n.phone.page.getByRole("heading", { name: "Acknowledge this incident?" }).waitFor();
	}
	await n.phone.visit(n.links.Resolve);
	await looksGood(n.phone, "link");
	await n.bert.visit(n.incident);
	await sees(n.bert, /^open$/);
}

async function acknowledgesByTheLink(n) {
	await n.phone.visit(n.links.Acknowledge);
	await button(n.phone, "Acknowledge").click();
	await sees(n.phone, "Acknowledged. It stays unresolved");
	await looksGood(n.phone, "link done");
}

async function aLinkServesOnce(n) {
	await n.phone.visit(n.links.Acknowledge, 410);
	await n.phone.page.getByRole("heading", { name: "Link used" }).waitFor();
	await looksGood(n.phone, "link used");
	await n.phone.visit(`/l/${"A".repeat(56)}`, 404);
	await looksGood(n.phone, "link forged");
}

async function seesWhoWasTold(n) {
	await n.bert.visit(n.incident);
	await sees(n.bert, /^acknowledged$/);
	await comesToSee(n.bert, /^Acknowledged$|acknowledged it/);
	const story = await text(n.bert.page.locator("ol.timeline"));
	for (const said of ["opened it", "Step 1 of Shop: anna", "Step 2 of Shop: bert", "bert acknowledged it"])
		assert(story.includes(said), `${said} in: ${story}`);
	const told = n.bert.page.getByRole("region", { name: "Who was told" }).or(n.bert.page.locator("section").filter({ hasText: "Who was told" })).first();
	for (const who of [ANNA.name, BERT.name, "#shop"])
		await comesTo(n.bert, `${who} was told`, () => told.getByRole("row").filter({ hasText: who }).filter({ hasText: "sent" }).count());
	await looksGood(n.bert, "night incident");
	assert.equal(await button(n.bert, "Acknowledge").count(), 0);
}

async function nobodyElseIsPaged(n) {
	await outside(n, "/minutes/60", "POST");
	assert.equal(await build(n, "failure"), n.incident.split("/").pop(), "the same trouble");
	await outside(n, "/jobs/escalate", "POST");
	await n.bert.visit(n.incident);
	const story = await text(n.bert.page.locator("ol.timeline"));
	assert.equal(story.match(/Step \d of Shop/g).length, 2, story);
	assert.equal((await outside(n, `/mails?to=${ANNA.mail}`)).length, 2);
}

async function theStatusPageSaysSo(n) {
	await statusPageSays(n, /Now .*CI/);
}

/* ---- the morning ---- */

async function theSenderSaysItIsOver(n) {
	await build(n, "success");
	await until("the program is told", async () => (await outside(n, "/hook")).some(t => t.type === "incident.resolved"));
	await n.phone.visit(n.links.Resolve);
	await n.phone.page.getByRole("heading", { name: "Done already" }).waitFor();
	await looksGood(n.phone, "link not needed");
}

async function readsTheHistory(n) {
	await goes(n.boss, "Incidents");
	await n.boss.page.goto("/incidents?status=RESOLVED");
	const row = n.boss.page.getByRole("row").filter({ has: n.boss.page.locator(`a[href="${n.incident}"]`) });
	assert.match(await text(row), /high resolved/);
	await row.getByRole("link").first().click();
	await pathIs(n.boss, /^\/incidents\/\d+$/);
	await sees(n.boss, /^resolved$/);
	const story = await text(n.boss.page.locator("ol.timeline"));
	assert.match(story, /resolved it.*bert acknowledged it.*Step 2 of Shop: bert.*Step 1 of Shop: anna.*opened it/);
	await looksGood(n.boss, "night history");
}

async function takesTheHistoryAlong(n) {
	const id = n.incident.split("/").pop();
	const csv = await (await n.boss.get("/incidents.csv?status=RESOLVED")).text();
	const json = await (await n.boss.get("/incidents.json?status=RESOLVED")).json();

	assert(csv.includes(id), csv.slice(0, 400));
	assert(JSON.stringify(json).includes(id));
}

async function readsWhatTheProgramWasTold(n) {
	await n.boss.page.goto(n.endpoint);
	for (const what of ["incident.opened", "incident.escalated", "incident.acknowledged", "incident.resolved"])
		await sees(n.boss, what);
	const resolved = n.boss.page.getByRole("link", { name: "incident.resolved" });
	await resolved.first().click();
	await pathIs(n.boss, /\/deliveries\/\d+$/);
	await comesToSee(n.boss, "Number 1");
	await button(n.boss, "Redeliver").click();
	await sees(n.boss, "It is sent now.");
	await until("it comes once more", async () => (await outside(n, "/hook")).filter(t => t.type === "incident.resolved").length >= 2);
}

async function theStatusPageKeepsIt(n) {
	await statusPageSays(n, /The last \d+ days .*CI/);
	await looksGood(n.phone, "status page");
	assert.match(await (await n.phone.get("/status/shop/feed.atom")).text(), /CI/);
}

async function theAuditLogKnowsTheHand(n) {
	await goes(n.boss, "Audit log");
	await sees(n.boss, "incident.acknowledge");
}

/* What builds say while the shop is rebuilt wakes nobody. */
async function announcesMaintenance(n) {
	await goes(n.boss, "Maintenance");
	await link(n.boss, "New silence").click();
	await field(n.boss, "Name").fill("Rebuilding the shop");
	await field(n.boss, "Service").selectOption({ label: "Shop" });
	await n.boss.page.getByRole("button", { name: /^Make|^Silence/ }).click();
	await sees(n.boss, "It is silent now.");
	await build(n, "failure");
	await comesToSee(n.boss, "CI: failure on main");
	await link(n.boss, "End now").click();
	await n.boss.page.locator("main form button[type=submit]").click();
	await sees(n.boss, "Ended. What is unresolved is told.");
}

async function nothingWasMalformed(n) {
	assert.deepEqual(await outside(n, "/complaints"), []);
}

/* The program does not know it yet, so this is the last. */
async function makesANewSecret(n) {
	await n.boss.page.goto(n.endpoint);
	await link(n.boss, "New secret").click();
	await button(n.boss, "Make a new secret").click();
	await sees(n.boss, "The new secret is in force; it is shown this once.");
	assert.match(await n.boss.page.getByRole("status").locator("[data-copy]").innerText(), /^whsec_/);
	await sees(n.boss, /with the former secret too until/);
}

const steps = [makesColleagues, colleaguesProveTheirPagers, putsSomebodyOnCall, saysWhoIsNext, makesAChannelForTheTeam, makesAServiceOfIt, connectsTheSender,
	tellsAProgram, anAlertPagesWhoIsOnCall, nobodyActsSoTheNextIsPaged, looksAtTheLink, acknowledgesByTheLink, aLinkServesOnce, seesWhoWasTold, nobodyElseIsPaged,
	theStatusPageSaysSo, theSenderSaysItIsOver, readsTheHistory, takesTheHistoryAlong, readsWhatTheProgramWasTold, theStatusPageKeepsIt,
	theAuditLogKnowsTheHand, announcesMaintenance, nothingWasMalformed, makesANewSecret];

async function night(world, report) {
	const n = { world };

	for (const who of ["boss", "anna", "bert"])
		n[who] = await Person.arrive(world);
	n.phone = await Person.arrive(world, { width: 360 });
	await n.boss.signIn();
	for (const step of steps)
		if (!await report(`night: ${step.name}`, () => step(n)))
			break;
	for (const who of ["boss", "anna", "bert", "phone"])
		await report(`night: nothing for ${who} to complain about`, () => n[who].leave());
}

module.exports = { night };
