// Renders JSON lines of {template, given} with @huggingface/jinja, whose folder is in HF_JINJA.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = process.env.HF_JINJA ?? "node_modules/@huggingface/jinja";
const { Template } = await import(pathToFileURL(`${folder}/dist/index.js`).href);
const known = new Map();

for await (const line of createInterface({ input: process.stdin })) {
    const { template, given } = JSON.parse(line);
    let answer;
    try {
        if (!known.has(template)) known.set(template, new Template(template));
        answer = { string: known.get(template).render(given) };
    } catch (error) {
        answer = { error: String(error?.message ?? error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
}
