/* inspect.js - what holds for every page: it is small, it is accessible in both colour schemes, it fits windows down to a narrow one, and what
 * strangers sent stays text. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const axeSource = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const BYTES_MAX = 50 * 1024;
const WIDTHS = [1280, 1024, 768, 320];	/* the last: WCAG 1.4.10 */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

function told(violations) {
	return violations.map(v => `${v.id}: ${v.help}: ` +
		v.nodes.slice(0, 3).map(n => `${n.target.join(" ")} (${(n.any[0] || n.all[0] || n.none[0] || {}).message})`).join("; "));
}

/* Runs in the page, beside its CSP. */
async function axe(page, options) {
	await page.evaluate(axeSource);
	await page.evaluate(() => document.getAnimations().forEach(a => a.finish()));	/* colours halfway to those of the other scheme */
	return told((await page.evaluate(o => window.axe.run(document, o), options)).violations);
}

/* Elements that stand out of the window and are not inside a box that scrolls by itself. */
function tooWide() {
	const width = document.documentElement.clientWidth;
	const scrolls = e => e && (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
	if (document.documentElement.scrollWidth <= width)
		return [];
	return [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
		.slice(0, 5).map(e => `${e.tagName.toLowerCase()}.${e.className}`);
}

/* The comfort of the script: keys, and typing into what filters. What it throws is a complaint of the person's. */
async function touch(page) {
	for (const key of ["j", "j", "k", "/"])
		await page.keyboard.press(key);
	const search = page.locator("main input[type=search]").first();
	if (await search.count())
		await search.pressSequentially("xy");
}

/* All complaints about the page that the person looks at; `html` is its source as it came. */
async function inspect(person, html) {
	const page = person.page, found = [];
	const size = await page.viewportSize();

	if (html.length > BYTES_MAX)
		found.push(`${html.length} bytes, more than ${BYTES_MAX}`);
	if (/<script>\s*alert|<img src=x/i.test(html.toString()))
		found.push("what was sent became markup");
	if (await page.locator("h1").count() !== 1)
		found.push(`${await page.locator("h1").count()} headings of level 1`);
	found.push(...await axe(page, { runOnly: RULES, resultTypes: ["violations"] }));
	await page.emulateMedia({ colorScheme: "dark" });
	found.push(...(await axe(page, { runOnly: { type: "rule", values: ["color-contrast"] }, resultTypes: ["violations"] }))
		.map(t => `dark: ${t}`));
	await page.emulateMedia({ colorScheme: "light" });
	for (const width of WIDTHS) {
		await page.setViewportSize({ width, height: size.height });
		const wide = await page.evaluate(tooWide);
		if (wide.length)
			found.push(`wider than ${width} px: ${wide.join(", ")}`);
	}
	await page.setViewportSize(size);
	await touch(page);
	return found;
}

/* For tidy, which looks at them afterwards. */
function keep(folder, name, html) {
	fs.writeFileSync(path.join(folder, name.replace(/[^a-z0-9]+/gi, "_").replace(/^_|_$/g, "") + ".html"), html);
}

function none(found) {
	if (found.length)
		throw new Error(found.join("\n    "));
}

module.exports = { inspect, keep, none };
