// What persons have signed for in the dock's journal: openings and clearings (docs/FORMAT.md section 4).
// Whoever has the dock's key can write them, but not what persons have to sign before; so neither is believed on its word.

const PERSONS = 2;
const ITEMS_LIMIT = 512;
const WHY_LIMIT = 1024;

const isForged = (said, act) => said.statement === null || said.statement.act !== act;
const isOther = ({ approval, request }) => !isAbout(approval.statement, { request });
const isOutside = ({ asked, recorder, item: name }) => recorder !== asked.recorder || !asked.items.includes(name);

/** Why something may not be opened; the first that applies decides. */
const OPEN_RULES = [
  ['view_not_asked', ({ asking }) => asking === null],
  ['view_forged', ({ asking, asked }) => asked === null || isForged(asking, 'ask')],
  ['asker_unknown', ({ asking }) => asking.person === null],
  ['asker_revoked', ({ asking }) => asking.person.revoked],
  ['asker_may_not', ({ asking }) => !asking.person.roles.includes('ask')],
  ['view_not_approved', ({ approval }) => approval === null],
  ['approval_forged', ({ approval }) => isForged(approval, 'approve')],
  ['approval_other', isOther],
  ['approver_unknown', ({ approval }) => approval.person === null],
  ['approver_revoked', ({ approval }) => approval.person.revoked],
  ['approver_may_not', ({ approval }) => !approval.person.roles.includes('approve')],
  ['approver_same', ({ asking, approval }) => !areTwo(asking.person, approval.person)],
  ['view_other_item', isOutside],
];

/** What is asked for; null when the statement asks for nothing possible. */
function askedOf({ about }) {
  const { recorder, items, why } = about;
  const possible = owner(recorder) && atLeastOne(item)(items) && items.length <= ITEMS_LIMIT && typeof why === 'string';
  const length = possible ? [...why.replace(OUTER_SPACE, '')].length : 0;
  return length > 0 && length <= WHY_LIMIT ? { recorder, items } : null;
}

/** Judges a dock's journal entry by entry: what an entry needs must stand before it. */
class Acts {
  constructor(trust) {
    Object.assign(this, { trust, persons: new Persons(), views: new Map(), blocks: new Map(), unsigned: [] });
  }

  take(entry) {
    const { kind, fields, seq } = entry;
    if (kind === 'opened') this.checkOpened(entry);
    if (kind === 'blocked') this.blocks.set(seq, entry);
    if (kind === 'cleared') this.clear(entry);
    this.persons.take(entry);
    if (kind === 'view_asked' && !this.views.has(fields.request)) this.views.set(fields.request, this.readView(fields));
    if (kind === 'view_approved' && this.views.has(fields.request)) {
      this.views.get(fields.request).approvals.push(this.read(fields.statement));
    }
  }

  /** A statement; null when it is none, for whoever can write to the journal is not yet the person. */
  read(text) {
    try {
      return readStatement(text, this.trust);
    } catch (error) {
      if (error instanceof Trouble) return null;
      throw error;
    }
  }

  /** A request is named by the hash of the statement that asks, so by every word in it. */
  readView({ request, statement: text }) {
    const asking = hashText(text) === request ? this.read(text) : null;
    return { asking, asked: asking === null ? null : askedOf(asking), approvals: [] };
  }

  said(statement) {
    return { statement, person: statement === null ? null : this.persons.who(statement) };
  }

  /** One good approval is enough, however many bad ones there are. */
  checkOpened(entry) {
    const { request, recorder, item: name } = entry.fields;
    const view = this.views.get(request);
    const asking = view === undefined ? null : this.said(view.asking);
    const approvals = view === undefined || view.approvals.length === 0 ? [null] : view.approvals.map((one) => this.said(one));
    const asked = view === undefined ? null : view.asked;
    const refusals = approvals.map((approval) => OPEN_RULES.find(
      ([, applies]) => applies({ request, asking, asked, approval, recorder, item: name }),
    ));
    if (refusals.includes(undefined)) return;
    const because = { code: refusals[refusals.length - 1][0], args: {} };
    this.unsigned.push({ entry, trouble: new Trouble(GAPS, 'opened_unsigned', { item: name, recorder, because }) });
  }

  clear(entry) {
    const { recorder, blocked_seq: until, statements } = entry.fields;
    try {
      this.checkClearing(recorder, until, statements);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.unsigned.push({ entry, trouble: new Trouble(GAPS, 'cleared_unsigned', { recorder, because: error }) });
      return;
    }
    for (const [seq, one] of this.blocks) if (seq <= until && one.fields.recorder === recorder) this.blocks.delete(seq);
  }

  /** Throws Trouble unless two different persons say that this one block is cleared, no other, later or earlier. */
  checkClearing(recorder, until, statements) {
    const blocked = this.blocks.get(until);
    if (blocked === undefined || blocked.fields.recorder !== recorder) throw bad('clears_nothing', { seq: String(until) });
    const about = { recorder, blocked_seq: blocked.seq, blocked_hash: blocked.hash };
    const said = statements.map((text) => this.persons.check(text, this.trust, 'clear', about));
    if (said.length !== PERSONS || !areTwo(...said)) throw bad('persons_not_two');
  }
}
