// node receive-callbacks.mjs [PORT]: takes callbacks, checks that they are genuine, and prints what they tell.
// The token's secret, whsec_…, is in TOOLS_WHISPER_SECRET.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const MOST_BYTES = 64 << 20;
const TOLERANCE_SECONDS = 300;
// A callback may come twice. A real receiver keeps these in its database.
const taken = new Set();

/** `headers` with names in lower case, `body` as it came: a Buffer. */
function isGenuine(secret, headers, body) {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures } = headers;
  if (!id || !at || !signatures) return false;
  // Written so that what is no number is not fresh either.
  if (!(Math.abs(Date.now() / 1000 - Number(at)) <= TOLERANCE_SECONDS)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = Buffer.concat([Buffer.from(`${id}.${at}.`), body]);
  const wanted = Buffer.from(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  const given = signatures.split(" ").map((one) => Buffer.from(one));
  return given.some((one) => one.length === wanted.length && timingSafeEqual(one, wanted));
}

async function bodyOf(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > MOST_BYTES) throw new Error("too large");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const server = createServer(async (request, response) => {
  try {
    const body = await bodyOf(request);
    if (!isGenuine(process.env.TOOLS_WHISPER_SECRET, request.headers, body)) {
      response.writeHead(401).end();
      return;
    }
    // Within 15 seconds, or it is sent again: do what takes longer afterwards.
    response.writeHead(204).end();
    if (taken.has(request.headers["webhook-id"])) return;
    taken.add(request.headers["webhook-id"]);
    const { event, job } = JSON.parse(body);
    console.log(event, job?.job_id, job?.status);
  } catch (error) {
    console.error(error.message);
    if (!response.headersSent) response.writeHead(400).end();
  }
});
server.listen(Number(process.argv[2] ?? 8080), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
