// Corrections as the check page sends them: each has a name, so that one that is sent again is made once.

import { ask } from "../editor/asking.js";
import { newId } from "../editor/changes.js";
import { text } from "../texts.js";

export class Refused extends Error {
  constructor(message, { status = 0, answer = null } = {}) {
    super(message);
    Object.assign(this, { status, answer });
  }
}

export class Corrections {
  #url;
  #names = new Map();

  constructor(url) {
    this.#url = url;
  }

  /** The answer to a correction. Refused with status 409 and the segments as they are when somebody else was first. */
  async make(body) {
    const key = JSON.stringify(body);
    const name = this.#names.get(key) ?? newId();
    this.#names.set(key, name);
    const answer = await question("POST", this.#url, { request_id: name, ...body });
    this.#names.delete(key);
    return answer;
  }

  preview(body) {
    return question("POST", `${this.#url}/preview`, body);
  }
}

export async function question(method, path, body) {
  const { status, body: answer } = await ask(method, path, body);
  if (status >= 200 && status < 300) return answer;
  throw new Refused(sentence(status, answer), { status, answer });
}

function sentence(status, answer) {
  if (status === 0) return text("unreachable");
  if (status === 401 || status === 403) return text("signed_out");
  return answer?.error || answer?.message || text("server_error");
}
