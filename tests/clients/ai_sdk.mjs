// The AI SDK with its provider for OpenAI-compatible servers, of the major versions that the arguments name.
import { messages, work } from "./jobs.mjs";

const { generateText, streamText, tool, jsonSchema } = await import(process.argv[2]);
const { createOpenAICompatible } = await import(process.argv[3]);

globalThis.AI_SDK_LOG_WARNINGS = false;

function asked(job) {
  const provider = createOpenAICompatible({ name: "server", baseURL: job.base_url, apiKey: "none" });
  const tools = Object.fromEntries(
    job.tools.map(({ function: { name, description, parameters } }) => [
      name,
      tool({ description, inputSchema: jsonSchema(parameters) }),
    ]),
  );
  return { model: provider.chatModel(job.model), messages, tools, maxRetries: 0 };
}

const answer = (result) => ({
  content: result.text,
  reasoning: result.reasoningText,
  calls: result.toolCalls.map((call) => {
    if (call.invalid && result.finishReason !== "length") throw call.error;
    return { id: call.toolCallId, name: call.toolName, arguments: JSON.stringify(call.input) };
  }),
  finish_reason: result.finishReason === "tool-calls" ? "tool_calls" : result.finishReason,
});

await work({
  async create(job) {
    return answer(await generateText(asked(job)));
  },
  async stream(job) {
    const errors = [];
    const result = streamText({ ...asked(job), onError: ({ error }) => errors.push(error) });
    for await (const part of result.fullStream) {
      if (part.type === "error") errors.push(part.error);
    }
    if (errors.length) throw errors[0];
    const [text, reasoningText, toolCalls, finishReason] = await Promise.all([
      result.text,
      result.reasoningText,
      result.toolCalls,
      result.finishReason,
    ]);
    return answer({ text, reasoningText, toolCalls, finishReason });
  },
});
