/* walk.js - goes to every page there is and inspects it.
 *
 * It follows the links from the start page, so a new page is walked without a line here; src/dash/routes.c says which there are,
 * and a page that nobody leads to fails, unless UNLINKED says how to get there. */
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");

const { forms } = require("./forms");
const { Person } = require("./person");
const { inspect, keep, none } = require("./inspect");
const { until } = require("./steps");

const VARIANTS_MAX = 2;		/* pages of one route: a list and a filtered one, two incidents... */
const ROUTES = path.join(__dirname, "..", "..", "src", "dash", "routes.c");

/* Rows of the route table: method, pattern, what it needs. */
function table() {
	const text = fs.readFileSync(ROUTES, "utf8").replace(/\/\*[^]*?\*\//g, "");
	return [...text.matchAll(/\{\s*"(GET|POST)",\s*"([^"]+)",\s*([^,]+),/g)].map(m => ({ method: m[1], pattern: m[2], needs: m[3] }));
}

/* Not led to from any page that somebody signed in sees. */
const UNLINKED = {
	"/assets/:hash/:name": "no page",
	"/login": "for guests: walked by itself",
	"/l/:token": "in messages",
	"/status/:slug/feed.atom": "no page",
};

function patterns(method) {
	return table().filter(r => r.method === method).map(r => r.pattern);
}

function fits(pattern, pathname) {
	const want = pattern.split("/"), have = pathname.split("/");
	return want.length === have.length && want.every((w, i) => w === have[i] || (w.startsWith(":") && have[i] !== ""));
}

/* The route of a path; fixed words win, as in the router. */
function routeOf(patterns, pathname) {
	return patterns.filter(p => fits(p, pathname)).sort((a, b) => a.split(":").length - b.split(":").length)[0];
}

function links(page) {
	return page.evaluate(() => [...document.querySelectorAll("a[href]")]
		.filter(a => a.origin === location.origin && !a.hasAttribute("download") && !a.type)	/* a type: no page */
		.map(a => a.pathname + a.search));
}

const posts = patterns("POST");

class Walk {
	constructor(patterns) {
		this.patterns = patterns;
		this.count = new Map();		/* visits of each route, apart for those with and without a query */
		this.seen = new Set();
		this.queue = [];
		this.forms = new Map();		/* by the pattern of their route */
	}

	/* `all`: however many of one route. */
	add(paths, all = false) {
		for (const p of paths) {
			const url = new URL(p, "http://x");
			const route = routeOf(this.patterns, url.pathname);
			const kind = `${route} ${url.search ? "?" : ""}`;
			if (!route || this.seen.has(p) || (!all && (this.count.get(kind) || 0) >= VARIANTS_MAX))
				continue;
			this.seen.add(p);
			this.count.set(kind, (this.count.get(kind) || 0) + !all);
			this.queue.push(p);
		}
	}

	routesSeen() {
		return new Set([...this.count.keys()].map(k => k.split(" ")[0]));
	}

	/* What is to be saved is never shown: a payload may be any document of a stranger. */
	async download(at, answer) {
		const headers = answer.headers();
		assert.equal(answer.status(), 200);
		assert.equal(headers["x-content-type-options"], "nosniff");
		assert.doesNotMatch(headers["content-type"], /html|xml|javascript/);
	}

	/* Returns what it leads to. */
	async one(person, at, report) {
		const found = { links: [], forms: [] };

		await report(`page ${at}`, async () => {
			const answer = await person.get(at);
			if (/^attachment/.test(answer.headers()["content-disposition"]))
				return this.download(at, answer);
			const response = await person.visit(at);
			const html = await response.body();
			found.links = await links(person.page);
			found.forms = await forms(person.page);
			keep(person.world.out, at, html);
			none([...await inspect(person, html), ...person.complaints]);
		});
		person.complaints.length = 0;	/* told */
		return found;
	}

	/* Several persons at once, until nothing new is found. What is walked does not depend on who of them is quicker. */
	async all(persons, report) {
		while (this.queue.length) {
			const pages = this.queue.splice(0), found = [];
			let next = 0;

			await Promise.all(persons.map(async person => {
				while (next < pages.length) {
					const i = next++;
					found[i] = await this.one(person, pages[i], report);
				}
			}));
			for (const page of found) {
				this.add(page.links);
				for (const form of page.forms)
					this.forms.set(routeOf(posts, form.action), form);
			}
		}
	}
}

/* Each page as somebody who may see all of them. There are two of him, which is quicker, and gives each a session to end. */
async function walkAll(world, report) {
	const persons = [await Person.arrive(world), await Person.arrive(world)];
	const walk = new Walk(patterns("GET"));

	for (const person of persons)
		await person.signIn();
	walk.add(["/", ...world.pages], true);
	await walk.all(persons, report);
	world.forms = walk.forms;
	await report("every page is led to", async () => {
		const seen = walk.routesSeen();
		none(walk.patterns.filter(p => !seen.has(p) && !(p in UNLINKED)));
	});
	for (const person of persons)
		await person.leave();
}

/* What is shown to those who are not signed in, and what goes wrong. */
async function walkOutside(world, report) {
	const person = await Person.arrive(world);

	await new Walk(patterns("GET")).one(person, "/login", report);
	await person.signIn("/login?next=%2F%2Fother.example%2F");
	await report("page that is not there", async () => {
		const response = await person.visit("/no/such/page", 404);
		none(await inspect(person, await response.body()));
		keep(world.out, "404", await response.body());
	});
	await person.leave();
}

/* Somebody who may only look is led nowhere where he is refused, and has no form that would be. */
async function walkViewer(world, report) {
	const person = await Person.arrive(world);
	const mine = table().filter(r => /\bROLE_VIEWER\b/.test(r.needs) && !r.pattern.startsWith("/endpoints/:"));	/* each has his own */
	const walk = new Walk(patterns("GET"));
	const forms = table().filter(r => r.method === "POST" && !/\bROLE_VIEWER\b/.test(r.needs)).map(r => r.pattern);

	await person.signIn("/login", world.viewer);
	walk.add(["/", ...world.pages.filter(p => routeOf(mine.map(r => r.pattern), p))], true);
	await report("a viewer is refused nothing that he is shown", async () => {
		const found = [];

		while (walk.queue.length) {
			const at = walk.queue.shift();
			const answer = await person.get(at);

			if (answer.status() !== 200)
				found.push(`${at}: ${answer.status()}`);
			if (!/^text\/html/.test(answer.headers()["content-type"]))
				continue;
			await person.visit(at);
			walk.add(await links(person.page));
			const actions = await person.page.locator("form[method=post]").evaluateAll(all => all
				.filter(f => [...f.elements].some(e => e.type === "submit")).map(f => f.getAttribute("action")));
			found.push(...actions.filter(a => routeOf(forms, a)).map(a => `${at}: form to ${a}`));
		}
		none(found);
	});
	await person.leave();
}

/* ---- exports ---- */

/* RFC 4180. */
function cells(csv) {
	return [...csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?:,|\r?\n|$)/g)].map(m => m[1] === undefined ? m[2] : m[1].replace(/""/g, '"'));
}

/* A spreadsheet runs a cell that begins like a formula. */
async function walkExports(world, report) {
	const person = await Person.arrive(world);
	let formulas = 0;

	await person.signIn();
	for (const { pattern } of table().filter(r => /\bCAN_EXPORT\b/.test(r.needs)))
		await report(`export ${pattern}`, async () => {
			const list = pattern.includes(":") ? world.pages.find(p => routeOf([pattern], p)) : pattern;
			let csv;

			await until(`as many rows of ${list} in both`, async () => {	/* something may happen between the two */
				csv = await (await person.get(`${list}.csv`)).text();
				const json = await (await person.get(`${list}.json`)).json();
				return csv.trimEnd().split("\n").length - 1 === Object.values(json).find(Array.isArray).length;
			});
			none(cells(csv).filter(c => /^[=+\-@\t\r]/.test(c)));
			formulas += cells(csv).filter(c => c.startsWith("'=cmd")).length;
		});
	await report("exports hold formulas as text", async () => assert(formulas > 3, `${formulas} seen`));
	await person.leave();
}

module.exports = { walkAll, walkOutside, walkViewer, walkExports };
