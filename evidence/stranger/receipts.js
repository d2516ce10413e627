// The dock's word, a receipt or an explanation, against the recorder's entry that it answers (docs/FORMAT.md section 4).

const DOCK_NAME = 'dock';
const BLOB_KINDS = Object.keys(BLOB_SUFFIXES);
const SEAL_NAMES = ['segment', 'sha256', 'stored_bytes'];

/** Which kinds of entries a word answers, by which name, which fields it repeats, and where it puts number and hash. */
const ANSWERS = {
  stored: { kinds: ['segment'], name: 'segment', repeats: SEAL_NAMES, place: 'seal' },
  blob_stored: { kinds: BLOB_KINDS, name: 'blob', repeats: ['blob', 'stored_bytes'], place: 'entry' },
  report_taken: { kinds: ['reported'], name: 'interruption', repeats: ['interruption'], place: 'entry' },
  explanation: { kinds: ['interruption'], name: 'interruption', repeats: ['interruption'], place: null },
};
/** What the dock may say before the recorder comes home with its journal. */
const BEFORE_THE_JOURNAL = ['report_taken', 'explanation'];

/** Throws Trouble unless a verified word of the dock is for exactly this entry. */
function checkWord(word, entry) {
  const { name, repeats, place } = ANSWERS[word.kind];
  const expected = repeats.map((one) => [one, entry.fields[one]]);
  expected.push(['recorder', entry.device]);
  if (place !== null) expected.push([`${place}_seq`, entry.seq], [`${place}_hash`, entry.hash]);
  const wrong = expected.find(([one, value]) => word.fields[one] !== value);
  if (wrong !== undefined) throw bad('receipt_other', { about: entry.fields[name], name: wrong[0] });
}

/** A journal that has been read to its end or to its first defect: what later checks need of it. */
class ReadJournal {
  /** `acts` judges what persons have signed for, where it is the dock's journal. */
  constructor(check, acts) {
    Object.assign(this, { check, acts, whole: false, entries: [], words: [], revocations: new Revocations() });
    this.seals = new Map();
    this.blobs = new Map();
    this.answered = new Map();
  }

  async read(lines, report, name) {
    let number = 0;
    try {
      for await (const line of lines) {
        this.keep(this.check.take(line));
        number += 1;
        report.entries += 1;
      }
      this.whole = true;
      if (this.check.identity === null) report.note(new Trouble(NOT_SIGNED, 'journal_empty'), { file: name });
    } catch (error) {
      report.note(error, { file: name, entry: number });
    }
  }

  keep(entry) {
    const { kind, fields, device, seq, at, hash } = entry;
    const said = kind in ANSWERS || Object.values(ANSWERS).some(({ kinds }) => kinds.includes(kind));
    // A shift has tens of thousands of fragments: of them, and of all others, only what the account needs is kept.
    const kept = said || kind === 'segment' ? entry : { kind, fields, device, seq, at, hash };
    this.entries.push(kept);
    // Of two entries about the same bytes the first counts.
    if (BLOB_KINDS.includes(kind) && !this.blobs.has(fields.blob)) this.blobs.set(fields.blob, entry);
    if (kind === 'segment') this.seals.set(fields.segment, entry);
    if (this.acts !== null) this.acts.take(entry);
    if (kind in ANSWERS) this.words.push(entry);
    for (const [word, { kinds, name }] of Object.entries(ANSWERS)) {
      const key = `${word} ${fields[name]}`;
      if (kinds.includes(kind) && !this.answered.has(key)) this.answered.set(key, entry);
    }
    this.revocations.take(entry);
  }

  checkWords(dock, report) {
    const device = this.check.owner;
    for (const word of dock.words.filter((one) => one.fields.recorder === device)) {
      const name = word.fields[ANSWERS[word.kind].name];
      const entry = this.answered.get(`${word.kind} ${name}`);
      const where = { file: `${device}/${name}` };
      if (entry !== undefined) report.attempt(where, () => checkWord(word, entry));
      else if (!this.whole) continue;
      else if (BEFORE_THE_JOURNAL.includes(word.kind)) report.note(new Trouble(GAPS, 'journal_not_yet'), where);
      else report.note(bad('receipt_without_entry'), where);
    }
    for (const { fields } of [...dock.acts.blocks.values()].filter((one) => one.fields.recorder === device)) {
      report.note(bad('blocked', { why: fields.why }), { file: device, entry: Number(fields.entry_seq) });
    }
  }
}
