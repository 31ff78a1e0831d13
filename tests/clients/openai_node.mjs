// OpenAI's client for Node, of the major version that the argument names: whole, streamed, and through its accumulator.
import { messages, work } from "./jobs.mjs";

const { default: OpenAI } = await import(process.argv[2]);

const client = (job) => new OpenAI({ baseURL: job.base_url, apiKey: "none", maxRetries: 0 });
const asked = (job) => ({ model: job.model, messages, tools: job.tools });

const ofMessage = (message, finish_reason) => ({
  content: message.content,
  reasoning: message.reasoning_content,
  calls: (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  })),
  finish_reason,
});

await work({
  async create(job) {
    const { choices } = await client(job).chat.completions.create(asked(job));
    return ofMessage(choices[0].message, choices[0].finish_reason);
  },
  async create_stream(job) {
    const answer = { content: "", reasoning: "", calls: [], finish_reason: null };
    for await (const chunk of await client(job).chat.completions.create({ ...asked(job), stream: true })) {
      for (const { delta, finish_reason } of chunk.choices) {
        answer.content += delta.content ?? "";
        answer.reasoning += delta.reasoning_content ?? "";
        answer.finish_reason = finish_reason ?? answer.finish_reason;
        for (const call of delta.tool_calls ?? []) {
          answer.calls[call.index] ??= { id: call.id, name: call.function.name, arguments: "" };
          answer.calls[call.index].arguments += call.function.arguments;
        }
      }
    }
    return answer;
  },
  async stream(job) {
    const api = client(job);
    const completions = api.beta?.chat?.completions ?? api.chat.completions;
    const stream = completions.stream(asked(job));
    // The accumulator keeps only the last piece of a field that OpenAI's API does not have.
    let reasoning = "";
    stream.on("chunk", (chunk) => (reasoning += chunk.choices[0]?.delta.reasoning_content ?? ""));
    let completion;
    try {
      completion = await stream.finalChatCompletion();
    } catch (error) {
      if (error.constructor.name === "LengthFinishReasonError" || /length/i.test(error.message)) {
        return { finish_reason: "length", content: stream.currentChatCompletionSnapshot?.choices[0].message.content };
      }
      throw error;
    }
    const [choice] = completion.choices;
    return { ...ofMessage(choice.message, choice.finish_reason), reasoning };
  },
});
