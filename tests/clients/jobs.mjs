// Jobs in, answers out: what every client in Node does around its own calls.
import readline from "node:readline";

export const messages = [{ role: "user", content: "How high is the water?" }];

export async function work(modes) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const job = JSON.parse(line);
    let answer;
    try {
      answer = await modes[job.mode](job);
    } catch (error) {
      answer = { error: `${error?.name}: ${error?.message} ${error?.stack?.slice(0, 600)}` };
    }
    console.log(JSON.stringify(answer));
  }
}
