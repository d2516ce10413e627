// Persons with keys of their own, and what they sign (docs/FORMAT.md section 4).

const STATEMENT_TYPE = 'liuhen-statement';
/** What counts as space in names and reasons: that of Unicode, and the separators of ASCII. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const SPACES = new RegExp(SPACE, 'g');
const OUTER_SPACE = new RegExp(`^${SPACE}+|${SPACE}+$`, 'g');

/** A statement whose signature and certificate are right; whether its person may say that is another question. */
function readStatement(text, trust) {
  if (text.length > STATEMENT_LIMIT) throw bad('jws_too_long');
  const token = splitToken(text);
  checkHeader(token, STATEMENT_TYPE);
  const chain = chainOf(token.header);
  if (chain.length === 0) throw new Trouble(UNKNOWN_KEY, 'certificate_missing');
  const identity = trust.identify(chain);
  checkSignature(token, identity.key);
  const { person, act, about, at } = token.payload;
  if (!owner(person) || typeof act !== 'string' || !isObject(about)) throw bad('statement_impossible');
  if (identity.role !== 'person' || identity.name !== person) {
    throw new Trouble(UNKNOWN_KEY, 'certificate_of_another', { role: identity.role, name: identity.name });
  }
  readTime(at);
  return { person, kid: identity.key.kid, act, about };
}

/** Whether a statement is about this, and nothing else. */
function isAbout(statement, about) {
  const names = Object.keys(about);
  return Object.keys(statement.about).length === names.length
    && names.every((name) => name in statement.about && statement.about[name] === about[name]);
}

/** Those whom the dock's journal knows, by their keys. */
class Persons {
  constructor() {
    this.byKid = new Map();
  }

  take({ kind, fields }) {
    const { person, kid, name, roles } = fields;
    // The first word counts: nobody is enrolled again with a key that has been revoked.
    if (kind === 'person_enrolled' && !this.byKid.has(kid)) this.byKid.set(kid, { person, kid, name, roles, revoked: false });
    if (kind === 'person_revoked' && this.byKid.has(kid)) this.byKid.set(kid, { ...this.byKid.get(kid), revoked: true });
  }

  /** Who has signed this, enrolled under just this key and number; null where that is nobody. */
  who(statement) {
    const known = this.byKid.get(statement.kid);
    return known !== undefined && known.person === statement.person ? known : null;
  }

  /** Who says exactly this, enrolled, not revoked, and with the role for it; throws Trouble. */
  check(text, trust, act, about) {
    const said = readStatement(text, trust);
    if (said.act !== act || !isAbout(said, about)) throw bad('statement_other', { person: said.person });
    const known = this.who(said);
    if (known === null) throw bad('person_unknown', { person: said.person });
    if (known.revoked) throw bad('person_revoked', { person: said.person });
    if (!known.roles.includes(act)) throw bad('person_may_not', { person: said.person, name: known.name });
    return known;
  }
}

/** Whether these are two persons: two keys of one are one, and so are two names for one key, or two of one name. */
function areTwo(one, other) {
  return one.kid !== other.kid && one.person !== other.person && plainName(one.name) !== plainName(other.name);
}

/** A name as it is compared: in whatever width, case and spacing it was typed. */
const plainName = (name) => Array.from(name.normalize('NFKC').replace(SPACES, ''), foldCase).join('');

/** A letter in full case folding: lower first for the capital sharp s, and the dotless i has no case at all. */
const foldCase = (letter) => (letter === '\u0131' ? letter : letter.toLowerCase().toUpperCase().toLowerCase());
