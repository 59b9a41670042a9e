/* person.js - somebody at the dashboard: a browser context of his own, and everything the browser complained about meanwhile.
 *
 * A complaint is what no page of ours may cause: an error on the console (a violation of the CSP is one), an exception, a dialog, an
 * answer of 400 or more that was not asked for, a request to another host. A person is asked for them at the end. */
"use strict";

const assert = require("node:assert/strict");

const PATIENCE_MS = 60000;	/* for whatever is to come: another program is at work, the machine may be busy */

class Person {
	constructor(world, context, page) {
		this.world = world;
		this.context = context;
		this.page = page;
		this.complaints = [];
		this.expected = new Set();	/* statuses that are asked for */
		page.setDefaultTimeout(PATIENCE_MS);
		page.on("console", m => this.onConsole(m));
		page.on("pageerror", e => this.complain(`exception: ${e.message}`));
		page.on("dialog", d => {
			this.complain(`a dialog: ${d.message()}`);
			d.dismiss();
		});
		page.on("request", r => this.onRequest(r));
		page.on("response", r => this.onResponse(r));
	}

	/* Beside the page, in its session. As a browser does: once more where the server had just closed a connection that rested. */
	get(path) {
		return this.context.request.get(path, { maxRetries: 1 });
	}

	/* options: scripts (true), scheme ("light"), width (1280) */
	static async arrive(world, options = {}) {
		const context = await world.browser.newContext({
			baseURL: world.url,
			javaScriptEnabled: options.scripts !== false,
			colorScheme: options.scheme || "light",
			viewport: { width: options.width || 1280, height: 900 },
			locale: "en-US",
			timezoneId: "UTC",
		});
		const person = new Person(world, context, await context.newPage());
		person.scripts = options.scripts !== false;
		return person;
	}

	complain(text) {
		this.complaints.push(`${new URL(this.page.url(), this.world.url).pathname}: ${text}`);
	}

	onConsole(message) {
		/* answers of 400 and more are onResponse's */
		if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
			this.complain(`console: ${message.text()}`);
	}

	onRequest(request) {
		if (!request.url().startsWith(this.world.url + "/") && !request.url().startsWith("data:"))
			this.complain(`asks another host: ${request.url()}`);
	}

	onResponse(response) {
		if (response.status() >= 400 && !this.expected.has(response.status()))
			this.complain(`${response.status()} for ${response.request().method()} ${response.url()}`);
	}

	/* While `act` runs, which ends after the answer, this status is what should come. */
	async expecting(status, act) {
		this.expected.add(status);
		try {
			return await act();
		} finally {
			this.expected.delete(status);
		}
	}

	async visit(path, status = 200) {
		const response = await this.expecting(status, () => this.page.goto(path));
		assert.equal(response.status(), status, `status of ${path}`);
		return response;
	}

	async signIn(at = "/login", who = { name: this.world.user, password: this.world.password }) {
		await this.page.goto(at);
		await this.page.getByLabel("Name", { exact: true }).fill(who.name);
		await this.page.getByLabel("Password", { exact: true }).fill(who.password);
		await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
		await this.page.waitForURL(url => url.pathname !== "/login");
	}

	async leave() {
		await this.context.close();
		if (this.complaints.length)
			throw new Error(`the browser complains:\n    ${this.complaints.join("\n    ")}`);
	}
}

module.exports = { PATIENCE_MS, Person };
