// node openai.mjs FILE: OpenAI's own client (npm install openai). Address and key are all that differs.
import { File } from "node:buffer";
import { createReadStream } from "node:fs";
import OpenAI from "openai";

// Node.js 18 has it, but not by this name.
globalThis.File ??= File;

const { TOOLS_WHISPER_URL, TOOLS_WHISPER_TOKEN } = process.env;
const client = new OpenAI({ baseURL: `${TOOLS_WHISPER_URL}/v1`, apiKey: TOOLS_WHISPER_TOKEN });
const transcribe = (options) =>
  client.audio.transcriptions.create({ file: createReadStream(process.argv[2]), model: "whisper-1", ...options });

const whole = await transcribe({ response_format: "verbose_json" });
console.log(`${whole.language}, ${whole.duration} s: ${whole.text}`);
console.log(await transcribe({ response_format: "srt" }));
for await (const event of await transcribe({ stream: true })) {
  if (event.type === "transcript.text.delta") process.stdout.write(event.delta);
}
console.log();
try {
  await transcribe({ response_format: "nonsense" });
} catch (error) {
  if (!(error instanceof OpenAI.BadRequestError)) throw error;
  console.log(`Refused: ${error.param}: ${error.message}`);
}
