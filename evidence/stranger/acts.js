// What persons have signed for in a dock's journal: openings and clearings (docs/FORMAT.md section 4, statements).
// Neither is believed on the dock's word alone; each is judged by what stands before it.

const STATEMENT_TYPE = 'liuhen-statement';
const ITEMS_LIMIT = 512;
const PERSONS = 2;

/** A statement whose signature and certificate are right. */
function readStatement(text, trust) {
  if (text.length > STATEMENT_LIMIT) throw bad('statement_impossible');
  const token = splitToken(text);
  checkHeader(token, STATEMENT_TYPE);
  const chain = chainOf(token.header);
  if (chain.length === 0) throw new Trouble(UNKNOWN_KEY, 'certificate_missing');
  const { key, role, name } = trust.identify(chain);
  checkSignature(token, key);
  const { person, act, about, at } = token.payload;
  const isObject = typeof about === 'object' && about !== null && !Array.isArray(about);
  if (!owner(person) || typeof act !== 'string' || !isObject) throw bad('statement_impossible');
  if (role !== 'person' || name !== person) throw new Trouble(UNKNOWN_KEY, 'certificate_of_another', { role, name });
  readTime(at);
  return { person, kid: key.kid, act, about };
}

/** Whether a statement is about exactly this. */
function isAbout({ about }, expected) {
  const names = Object.keys(expected);
  return Object.keys(about).length === names.length && names.every((name) => about[name] === expected[name]);
}

/** A name as it is compared: in whatever width, case and spacing it was typed. */
const plainName = (name) => name.normalize('NFKC').replace(/\s+/gu, '').toLowerCase();

/** Two keys of one person are one, and so are two names for one key, and two who bear the same name. */
function areTwo(one, other) {
  return one.kid !== other.kid && one.person !== other.person && plainName(one.name) !== plainName(other.name);
}

/** Feed it every verified entry of a dock's journal in order. */
class Acts {
  constructor(trust) {
    Object.assign(this, { trust, persons: new Map(), views: new Map(), blocks: new Map(), unsigned: [] });
  }

  take(entry) {
    const { kind, fields, seq } = entry;
    if (kind === 'person_enrolled' && !this.persons.has(fields.kid)) {
      this.persons.set(fields.kid, { ...fields, revoked: false });
    } else if (kind === 'person_revoked' && this.persons.has(fields.kid)) this.persons.get(fields.kid).revoked = true;
    else if (kind === 'view_asked' && !this.views.has(fields.request)) {
      const genuine = hashText(fields.statement) === fields.request;
      this.views.set(fields.request, { asking: genuine ? this.read(fields.statement) : null, approvals: [] });
    } else if (kind === 'view_approved' && this.views.has(fields.request)) {
      this.views.get(fields.request).approvals.push(this.read(fields.statement));
    } else if (kind === 'opened' && !this.mayOpen(fields)) {
      this.unsigned.push([entry, 'opened_unsigned', { item: fields.item, device: fields.recorder }]);
    } else if (kind === 'blocked') this.blocks.set(seq, entry);
    else if (kind === 'cleared') this.clear(entry);
  }

  /** A statement; null for what is none. */
  read(text) {
    try {
      return readStatement(text, this.trust);
    } catch (error) {
      if (error instanceof Trouble) return null;
      throw error;
    }
  }

  /** Who has signed this, where he may: enrolled under just this key and number, not revoked, with the role. */
  who(statement, act) {
    const known = statement !== null && statement.act === act ? this.persons.get(statement.kid) : undefined;
    const may = known !== undefined && known.person === statement.person && !known.revoked && known.roles.includes(act);
    return may ? known : null;
  }

  mayOpen({ request, recorder, item }) {
    const view = this.views.get(request);
    const asker = view === undefined ? null : this.who(view.asking, 'ask');
    if (asker === null || !isAsked(view.asking.about)) return false;
    const { recorder: asked, items } = view.asking.about;
    const approved = view.approvals.some((one) => {
      const approver = this.who(one, 'approve');
      return approver !== null && isAbout(one, { request }) && areTwo(asker, approver);
    });
    return approved && recorder === asked && items.includes(item);
  }

  clear(entry) {
    const { recorder, blocked_seq: until, statements } = entry.fields;
    const blocked = this.blocks.get(until);
    const about = blocked && { recorder, blocked_seq: until, blocked_hash: blocked.hash };
    const said = statements.map((text) => this.read(text));
    const persons = said.map((one) => (about && one && isAbout(one, about) ? this.who(one, 'clear') : null));
    const good = blocked !== undefined && blocked.fields.recorder === recorder && persons.length === PERSONS
      && !persons.includes(null) && areTwo(...persons);
    if (!good) this.unsigned.push([entry, 'cleared_unsigned', { device: recorder }]);
    else {
      for (const [seq, one] of this.blocks) if (seq <= until && one.fields.recorder === recorder) this.blocks.delete(seq);
    }
  }
}

/** Whether this is what an asking statement may be about. */
function isAsked({ recorder, items, why }) {
  const isItem = (one) => segmentId(one) || hash(one);
  return owner(recorder) && isList(isItem)(items) && items.length > 0 && items.length <= ITEMS_LIMIT
    && text(why) && why.trim() !== '';
}
