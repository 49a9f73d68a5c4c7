// Requests to the node that the page came from, and to nobody else.

export class Refusal extends Error {
  constructor(message, status, data) {
    super(message);
    this.status = status; // 0: there was no answer
    this.data = data;
  }
}

// call returns what the node answers. Every request has an end, whatever becomes of
// the node.
export async function call(method, path, { body, headers, timeout = 8000 } = {}) {
  let reply, text;
  try {
    reply = await fetch("/" + path, { method, body, headers, cache: "no-store", signal: AbortSignal.timeout(timeout) });
    text = await reply.text();
  } catch (e) {
    throw new Refusal(e.name === "TimeoutError" ? "The node gave no answer in time." : "The node does not answer.", 0);
  }
  let data = null;
  if (text !== "" && (reply.headers.get("Content-Type") ?? "").startsWith("application/json")) data = JSON.parse(text);
  if (reply.status >= 400) throw new Refusal(data?.message ?? `${reply.status} ${text.slice(0, 200)}`, reply.status, data);
  return { status: reply.status, headers: reply.headers, data };
}

export const get = async (path, options) => (await call("GET", path, options)).data;

export const send = async (method, path, value, options) =>
  (await call(method, path, { ...options, body: JSON.stringify(value), headers: { "Content-Type": "application/json" } })).data;
