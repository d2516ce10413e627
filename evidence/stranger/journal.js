// Tokens, entries, the chain of a journal and the statement of its end (docs/FORMAT.md sections 2 and 3).

const TOKEN_LIMIT = 262144;
const ENTRY_TYPE = 'liuhen-entry';
const HEAD_TYPE = 'liuhen-head';
const COMMON_FIELDS = ['v', 'device', 'seq', 'prev', 'at', 'kind'];
const EMPTY_HEAD = { seq: -1n, hash: null };

function splitToken(token) {
  if (token.length > TOKEN_LIMIT) throw bad('jws_too_long');
  const parts = token.split('.');
  if (parts.length !== 3) throw bad('jws_unreadable');
  try {
    const [header, payload] = parts.slice(0, 2).map((part) => readJsonObject(fromBase64url(part)));
    return { header, payload, signature: fromBase64url(parts[2]), signed: fromAscii(`${parts[0]}.${parts[1]}`) };
  } catch (error) {
    // Whatever no decoder takes is no token; a fault of ours would be a ReferenceError.
    if (error instanceof Trouble) throw error;
    if (error instanceof SyntaxError || error instanceof TypeError) throw bad('jws_unreadable');
    throw error;
  }
}

function chainOf(header) {
  const chain = 'x5c' in header ? header.x5c : [];
  if (!Array.isArray(chain)) throw bad('x5c_unreadable');
  return chain.map(fromPaddedBase64);
}

function checkHeader({ header, payload }, type) {
  if (header.typ !== type) throw bad('jws_type');
  if (!['EdDSA', 'ES256'].includes(header.alg) || typeof header.kid !== 'string') throw bad('jws_algorithm');
  if ('crit' in header) throw bad('jws_crit');
  if (!isWhole(payload.v, 1n, COUNT_END)) throw bad('version_impossible');
  if (payload.v !== 1n) throw new Trouble(NEWER_VERSION, 'version_newer', { version: String(payload.v) });
}

function checkSignature(token, key) {
  if (token.header.alg !== key.alg || token.header.kid !== key.kid) throw bad('signature_other_key');
  if (!signatureFits(key, token.signature, token.signed)) throw bad('signature_wrong');
}

/** Take an entry apart; nothing of it is trusted until its signature has been checked. */
function readEntry(text) {
  const token = splitToken(text);
  const { header, payload } = token;
  checkHeader(token, ENTRY_TYPE);
  for (const name of COMMON_FIELDS) if (!(name in payload)) throw bad('field_missing', { kind: '', name });
  const possible = count(payload.seq) && owner(payload.device) && kindName(payload.kind) && orNull(hash)(payload.prev);
  if (!possible) throw bad('field_impossible', { kind: '', name: 'device, seq, prev, kind' });
  const fields = Object.create(null);
  for (const name of Object.keys(payload)) if (!COMMON_FIELDS.includes(name)) fields[name] = payload[name];
  checkFields(payload.kind, fields);
  return {
    text, token, kid: header.kid, chain: chainOf(header), x5c: header.x5c, device: payload.device, seq: payload.seq,
    prev: payload.prev, at: readTime(payload.at), kind: payload.kind, fields, hash: hashText(text),
  };
}

/** Take a head statement apart, likewise. */
function readHead(text) {
  const token = splitToken(text);
  checkHeader(token, HEAD_TYPE);
  const { journal, seq, hash: last, file_sha256: file } = token.payload;
  const possible = owner(journal) && isWhole(seq, -1n, COUNT_END)
    && [last, file].every((one) => one === undefined || one === null || hash(one));
  if (!possible) throw bad('head_impossible');
  return { token, chain: chainOf(token.header), journal, seq, hash: last === undefined ? null : last };
}

/** Read a token. That it is of a newer version is believed only when its key has signed that; else it was altered. */
function readSigned(read, text, trust, identity) {
  try {
    return read(text);
  } catch (error) {
    if (error.verdict !== NEWER_VERSION) throw error;
    const token = splitToken(text);
    const chain = chainOf(token.header);
    const signer = chain.length > 0 ? trust.identify(chain) : identity;
    if (signer !== null) checkSignature(token, signer.key);
    throw error;
  }
}

/** Who signed an entry that carries its certificate. */
function identifySigner(entry, trust) {
  if (entry.chain.length === 0) throw new Trouble(UNKNOWN_KEY, 'certificate_missing');
  const identity = trust.identify(entry.chain, knownTime(entry.at));
  const role = entry.device === DOCK ? 'dock' : 'recorder';
  if (identity.role !== role || identity.name !== entry.device) {
    throw new Trouble(UNKNOWN_KEY, 'certificate_of_another', { role: identity.role, name: identity.name });
  }
  checkSignature(entry.token, identity.key);
  return identity;
}

/** Whether an entry stands right behind the one before it. */
function checkLink(head, entry) {
  if (entry.seq > head.seq + 1n) {
    throw bad('chain_missing', { first: String(head.seq + 1n), last: String(entry.seq - 1n), seq: String(entry.seq) });
  }
  if (entry.seq <= head.seq) throw bad('chain_fork', { seq: String(entry.seq), after: String(head.seq) });
  if (entry.prev !== head.hash) throw bad('chain_hash', { seq: String(entry.seq) });
}

/** What the dock's journal says about revoked keys: old entries stay believed, newer ones are not. */
class Revocations {
  constructor() {
    this.revoked = new Map();
    this.received = new Map();
  }

  take(entry) {
    const { kind, fields, seq } = entry;
    if (kind === 'revoked' && !this.revoked.has(fields.kid)) {
      this.revoked.set(fields.kid, { seq: fields.last_seq, hash: fields.last_hash, dockSeq: seq, why: fields.why });
    }
    const name = { stored: 'seal_hash', blob_stored: 'entry_hash', report_taken: 'entry_hash' }[kind];
    if (name !== undefined && !this.received.has(fields[name])) this.received.set(fields[name], seq);
  }

  /** An entry that stands in its recorder's verified chain. */
  check(entry) {
    const found = this.revoked.get(entry.kid);
    if (found === undefined || entry.seq < found.seq) return;
    if (entry.seq > found.seq) throw bad('revoked_after', { last: String(found.seq), why: found.why });
    if (entry.hash !== found.hash) throw bad('revoked_other', { last: String(found.seq), why: found.why });
  }

  /** A chain by a revoked key has to reach the entry that the dock held: before it, it could be anybody's. */
  checkEnd(kid, head) {
    const found = this.revoked.get(kid);
    if (found !== undefined && head.seq < found.seq) {
      throw bad('revoked_short', { last: String(found.seq), why: found.why });
    }
  }

  /** An entry without its chain: only a receipt from before the revocation dates it. */
  checkAlone(entry) {
    const found = this.revoked.get(entry.kid);
    if (found === undefined) return;
    const received = this.received.get(entry.hash);
    if (received === undefined || received >= found.dockSeq) throw bad('revoked_alone', { why: found.why });
  }
}

/** Checks a journal entry by entry: signature, owner, chain. */
class JournalCheck {
  constructor(trust, owner, stated, revocations) {
    Object.assign(this, { trust, stated, revocations, owner, identity: null, head: EMPTY_HEAD, link: EMPTY_HEAD });
    this.last = { x5c: null, identity: null };
  }

  take(text) {
    const entry = readSigned(readEntry, text, this.trust, this.identity);
    if (this.owner !== null && entry.device !== this.owner) {
      throw bad('journal_of_another', { device: entry.device, owner: this.owner });
    }
    if (entry.chain.length > 0) this.identity = this.identify(entry);
    else if (this.identity === null) throw new Trouble(UNKNOWN_KEY, 'certificate_missing');
    else checkSignature(entry.token, this.identity.key);
    checkLink(this.head, entry);
    this.revocations.check(entry);
    this.owner = entry.device;
    this.head = { seq: entry.seq, hash: entry.hash };
    if (this.stated !== null && entry.seq === this.stated.seq) this.link = this.head;
    return entry;
  }

  /** A chain of certificates that was just checked need not be checked again with each seal. */
  identify(entry) {
    const x5c = entry.x5c.join(' ');
    if (this.last.x5c === x5c && entry.device === this.owner) {
      // Each entry has a time of its own.
      checkDates(this.last.identity.certificates, knownTime(entry.at));
      checkSignature(entry.token, this.last.identity.key);
    } else {
      this.last = { x5c, identity: identifySigner(entry, this.trust) };
    }
    return this.last.identity;
  }

  checkEnd() {
    if (this.identity !== null) this.revocations.checkEnd(this.identity.key.kid, this.head);
    if (this.stated === null) return;
    const seq = this.stated.seq;
    if (seq > this.head.seq) throw bad('end_missing', { first: String(this.head.seq + 1n), last: String(seq) });
    if (this.link.seq !== seq || this.link.hash !== this.stated.hash) throw bad('end_other', { seq: String(seq) });
  }
}
