// standard_webhooks.js MODULES - is what stands on stdin ({"secret","headers","body"}) signed as the library of Standard Webhooks wants it? Prints the type.
const { Webhook } = require(require("path").join(process.argv[2], "standardwebhooks"));

let text = "";
process.stdin.on("data", (piece) => { text += piece; }).on("end", () => {
	const { secret, headers, body } = JSON.parse(text);

	console.log(new Webhook(secret).verify(body, headers).type);
});
