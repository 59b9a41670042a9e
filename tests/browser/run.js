/* run.js - runs parts of the browser tests: node run.js WORLD.json PART...
 *
 * WORLD.json is what run.py knows of the instance: url, user, password, token, out (folder for the pages' HTML), pages. The last
 * line is "N passed, N failed". */
"use strict";

const fs = require("node:fs");

const { chromium } = require("playwright-core");

const comfort = require("./comfort");
const { walkForms } = require("./forms");
const { night } = require("./night");
const story = require("./story");
const walk = require("./walk");

const parts = { ...story, ...walk, ...comfort, walkForms, night };

/* The lines of our own files that lead to it. */
function where(e) {
	const lines = e.stack.split("\n").map(l => l.match(/((?:comfort|forms|inspect|night|steps|story|walk|person|world)\.js:\d+)/)).filter(Boolean).map(m => m[1]);
	return lines.length ? ` (${lines.join(" ")})` : "";
}

async function main(file, names) {
	const world = JSON.parse(fs.readFileSync(file, "utf8"));
	const count = { passed: 0, failed: 0 };

	/* Did it succeed? */
	async function report(name, act) {
		const began = Date.now();
		try {
			await act();
			count.passed++;
			console.log(`ok      ${name} (${Date.now() - began} ms)`);
			return true;
		} catch (e) {
			count.failed++;
			console.log(`FAILED  ${name}: ${e.message}${where(e)}`);
			return false;
		}
	}

	world.browser = await chromium.launch({ executablePath: world.chromium, chromiumSandbox: false,
		args: ["--disable-dev-shm-usage", "--no-first-run"] });
	for (const name of names)
		await report(name, () => parts[name](world, report));
	await world.browser.close();
	console.log(`${count.passed} passed, ${count.failed} failed`);
	process.exitCode = count.failed ? 1 : 0;
}

main(process.argv[2], process.argv.slice(3));
