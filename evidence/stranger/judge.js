// All that was dropped, brought before the rules: the same ones, with the same verdicts, as `liuhen verify`.

const MEDIA = ['.mp4', '.lhs', '.lhb', ...Object.values(BLOB_SUFFIXES).flat()];
const SEGMENTS = ['.mp4', '.lhs'];
const PEEK_BYTES = TOKEN_LIMIT + 1;

/** What was looked at and what was found, in the order in which it was met. */
class Report {
  constructor() {
    Object.assign(this, { entries: 0, segments: 0, blobs: 0, bytes: 0, defects: [], about: null });
  }

  /** A defect, which counts for the file that is just being judged, too. A fault of ours is no defect: it is thrown. */
  note(trouble, where) {
    if (!(trouble instanceof Trouble)) throw trouble;
    const place = trouble.byte === undefined ? where : { ...where, byte: trouble.byte };
    const defect = { verdict: trouble.verdict, code: trouble.code, args: trouble.args, where: place };
    this.defects.push(defect);
    if (this.about !== null) this.about.push(defect);
  }

  attempt(where, check) {
    try {
      return check();
    } catch (error) {
      this.note(error, where);
      return null;
    }
  }
}

/** The worst verdict of some defects, and the first of that kind. */
function verdictOf(defects) {
  const worst = defects.map((one) => VERDICTS.indexOf(one.verdict)).reduce((a, b) => Math.max(a, b), 0);
  return { verdict: VERDICTS[worst], first: defects.find((one) => one.verdict === VERDICTS[worst]) || null };
}

const folderOf = (path) => path.slice(0, path.lastIndexOf('/') + 1);
const stemPath = (file) => folderOf(file.path) + stemOf(file.name);

/** Sort what was dropped by what it is: certificates, media, journals, single entries, statements of a journal's end. */
async function sortFiles(files) {
  const sorted = { roots: [], media: [], journals: [], alone: [], heads: [], other: [] };
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const suffix = suffixOf(file.name);
    if (MEDIA.includes(suffix)) sorted.media.push(file);
    else if (['.pem', '.crt', '.cer'].includes(suffix)) sorted.roots.push(file);
    else if (suffix === '.head') sorted.heads.push({ file, token: await onlyLine(file) });
    else if (suffix === '.jws') (await isJournal(file, files) ? sorted.journals : sorted.alone).push(await opening(file));
    else sorted.other.push(file);
  }
  return sorted;
}

async function peek(file) {
  return LATIN.decode(await file.read(0, Math.min(file.size, PEEK_BYTES)));
}

/** A single entry has one line, and the name of what it vouches for or of what it reports; a journal has any number. */
async function isJournal(file, files) {
  if (file.name === 'journal.jws') return true;
  if (files.some((one) => stemPath(one) === stemPath(file) && MEDIA.includes(suffixOf(one.name)))) return false;
  const text = await peek(file);
  const lineEnd = text.indexOf('\n');
  return (lineEnd >= 0 && lineEnd + 1 < file.size) || claimOf(text.split('\n')[0]).seq === 0n;
}

/** What a token says about itself, unchecked: enough to know which rules it has to be brought before. */
function claimOf(token) {
  try {
    return splitToken(token).payload;
  } catch (error) {
    if (error instanceof Trouble) return {};
    throw error;
  }
}

/** Whose journal it says it is; where its first line cannot be read, whose folder it lies in. */
async function opening(file) {
  const folder = folderOf(file.path).split('/').slice(-2)[0];
  const { device } = claimOf((await peek(file)).split('\n')[0]);
  return { file, device: [device, folder].find(owner) || null };
}

/** The token in a file of one line; null when it does not hold exactly one. */
async function onlyLine(file) {
  const text = await peek(file);
  return text.indexOf('\n') === file.size - 1 && !NO_ASCII.test(text) ? text.slice(0, -1) : null;
}

async function rootOf(files, report) {
  const found = new Map();
  const damaged = [];
  for (const file of files) {
    const pem = await peek(file);
    try {
      const trust = new Trust(pem);
      found.set(trust.fingerprint, trust);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      damaged.push([error, file]);
    }
  }
  if (found.size === 1) return [...found.values()][0];
  if (found.size > 1) report.note(new Trouble(UNKNOWN_KEY, 'roots_many'), {});
  else if (damaged.length > 0) report.note(damaged[0][0], { file: damaged[0][1].name });
  else report.note(new Trouble(UNKNOWN_KEY, 'root_missing'), {});
  return null;
}

/** One judgement of a set of files: `run` gives everything that the page shows. */
class Judgement {
  constructor(tick) {
    Object.assign(this, { tick, report: new Report(), trust: null, dock: null, recorders: [], items: [] });
  }

  async run(files) {
    const sorted = await sortFiles(files);
    this.trust = await rootOf(sorted.roots, this.report);
    if (this.trust !== null && sorted.media.length + sorted.journals.length + sorted.alone.length === 0) {
      this.report.note(new Trouble(NOT_SIGNED, 'nothing'), {});
    }
    if (this.trust !== null) await this.judge(sorted);
    const { report } = this;
    return {
      ...verdictOf(report.defects), defects: report.defects, entries: report.entries, segments: report.segments,
      blobs: report.blobs, bytes: report.bytes, trust: this.trust, dock: this.dock, recorders: this.recorders,
      items: this.items, other: sorted.other.map((file) => file.path),
    };
  }

  async judge({ media, journals, alone, heads }) {
    const docks = journals.filter((one) => one.device === DOCK_NAME);
    const recorders = journals.filter((one) => one.device !== DOCK_NAME);
    for (const one of docks) this.dock = await this.readJournal(one, heads, null);
    if (docks.length > 1) this.report.note(new Trouble(UNKNOWN_KEY, 'docks_many'), {});
    // Beside a recording alone the dock's journal only says which keys to believe.
    if (this.dock !== null && (recorders.length > 0 || media.length === 0)) this.whatNobodySigned(this.dock);
    for (const one of recorders) this.recorders.push(await this.readJournal(one, heads, this.dock));
    for (const file of media) await this.judgeMedia(file, alone.filter((one) => stemPath(one.file) === stemPath(file)));
    for (const one of this.recorders) this.whatIsNotHere(one);
    const names = new Set(media.map(stemPath));
    for (const one of alone) if (!names.has(stemPath(one.file))) await this.judgeAlone(one.file);
  }

  /** A journal, and the dock's statement of where it ended. */
  async readJournal({ file, device }, heads, dock) {
    const name = device === null ? file.path : `${device}/${file.name}`;
    const head = heads.find((one) => one.file.path === `${file.path}.head`)
      || heads.find((one) => one.token !== null && claimOf(one.token).journal === device);
    const stated = head === undefined || head.token === null ? null : this.claimedHead(head.token);
    if (head === undefined) this.report.note(new Trouble(GAPS, 'head_missing'), { file: `${name}.head` });
    else if (head.token === null) this.report.note(bad('one_line'), { file: `${name}.head` });
    const revocations = dock === null ? new Revocations() : dock.revocations;
    const acts = device === DOCK_NAME ? new Acts(this.trust) : null;
    const journal = new ReadJournal(new JournalCheck(this.trust, device, stated, revocations), acts);
    Object.assign(journal, { device, name, folder: folderOf(file.path), sizeBytes: file.size });
    await journal.read(linesOf(file, this.tick), this.report, name);
    if (head !== undefined && head.token !== null) {
      this.report.attempt({ file: `${name}.head` }, () => this.checkHead(head.token, device, dock || journal));
    }
    if (journal.whole) this.report.attempt({ file: name }, () => journal.check.checkEnd());
    return journal;
  }

  claimedHead(token) {
    try {
      return readHead(token);
    } catch (error) {
      if (error instanceof Trouble) return null;
      throw error;
    }
  }

  checkHead(token, device, { check: { identity } }) {
    const head = readSigned(readHead, token, this.trust, identity);
    // Without the dock's journal nobody can say who signed it; with one, somebody has to have.
    if (this.dock === null && device !== DOCK_NAME) throw new Trouble(GAPS, 'head_unchecked');
    if (identity === null) throw new Trouble(UNKNOWN_KEY, 'head_unchecked');
    checkSignature(head.token, identity.key);
    if (head.journal !== device) throw bad('head_other', { journal: head.journal });
  }

  /** A recording, photo or note, against its entry in a verified journal or in the file beside it. */
  async judgeMedia(file, besides) {
    const item = { name: file.name, sealed: isSealed(file), kind: null, entry: null, journal: null, parts: null, defects: [] };
    this.report.about = item.defects;
    this.report.bytes += file.size;
    try {
      await this.findEntry(item, file, besides);
      if (item.entry !== null) await this.compare(item, file);
    } catch (error) {
      this.report.note(error, { file: file.name });
    }
    this.report.about = null;
    this.items.push({ ...item, ...verdictOf(item.defects) });
  }

  async findEntry(item, file, besides) {
    const segment = SEGMENTS.includes(suffixOf(file.name));
    const holders = this.recorders.filter((one) => (segment ? one.seals : one.blobs).has(stemOf(file.name)));
    const journal = holders.find((one) => file.path.startsWith(one.folder)) || holders[0];
    if (journal !== undefined) {
      item.journal = journal;
      item.entry = (segment ? journal.seals : journal.blobs).get(stemOf(file.name));
      this.compareBeside(item, file, besides, await Promise.all(besides.map((one) => onlyLine(one.file))));
    } else if (besides.length > 0) {
      item.entry = await this.readAlone(besides[0].file);
      item.journal = this.recorders.find((one) => item.entry !== null && one.device === item.entry.device) || null;
    } else {
      Object.assign(item, await this.byContent(segment, file));
      if (item.entry === null) this.report.note(new Trouble(NOT_SIGNED, 'entry_missing'), { file: file.name });
    }
  }

  compareBeside(item, file, besides, lines) {
    const where = { file: `${stemOf(file.name)}.jws` };
    if (besides.length === 0 && item.sealed) this.report.note(new Trouble(GAPS, 'missing'), where);
    if (lines.some((line) => line !== item.entry.text)) this.report.note(bad('entry_other'), where);
  }

  /** A whole file that somebody gave another name. */
  async byContent(segment, file) {
    if (this.recorders.length === 0 || isSealed(file)) return { entry: null };
    const digest = toBase64url(await hashRange(file, 0, file.size, this.tick));
    for (const journal of this.recorders) {
      const seals = [...journal.seals.values()].filter((one) => one.fields.sha256 === digest);
      const entry = segment ? seals[0] : journal.blobs.get(digest);
      if (entry !== undefined) return { journal, entry };
    }
    return { entry: null };
  }

  async compare(item, file) {
    const { kind } = item.entry;
    const suffix = suffixOf(file.name);
    const segment = SEGMENTS.includes(suffix);
    const fits = segment ? kind === 'segment' : BLOB_KINDS.includes(kind) && [...BLOB_SUFFIXES[kind], '.lhb'].includes(suffix);
    if (!fits) throw new Trouble(NOT_SIGNED, 'entry_kind', { kind });
    item.kind = kind;
    if (!segment) {
      this.report.blobs += 1;
      await judgeBlob(item.entry, file, this.tick);
      return;
    }
    const { notes, ...parts } = await judgeSegment(item.entry, file, this.tick);
    item.parts = parts;
    this.report.segments += 1;
    for (const note of notes) this.report.note(note, { file: file.name });
  }

  /** The entry in a file of one line, its signature checked; null when that has given a defect. */
  async readAlone(file) {
    const line = await onlyLine(file);
    const where = { file: file.name };
    return this.report.attempt(where, () => {
      if (line === null) throw bad('one_line');
      const entry = readSigned(readEntry, line, this.trust, null);
      identifySigner(entry, this.trust);
      if (this.dock !== null && entry.device !== DOCK_NAME) this.dock.revocations.checkAlone(entry);
      this.againstJournal(entry, where);
      this.report.entries += 1;
      return entry;
    });
  }

  /** An entry without the thing that it vouches for: a report, a receipt, the seal of a file that is not here. */
  async judgeAlone(file) {
    const entry = await this.readAlone(file);
    if (entry === null) return;
    const item = this.items.find((one) => entry.kind in ANSWERS && answers(entry, one.entry));
    if (item !== undefined) this.report.attempt({ file: file.name }, () => checkWord(entry, item.entry));
  }

  /** An entry of its own has to stand in its owner's journal, where that is here. */
  againstJournal(entry, where) {
    const journal = entry.device === DOCK_NAME ? this.dock : this.recorders.find((one) => one.device === entry.device);
    if (!journal || !journal.whole) return;
    const known = journal.entries[Number(entry.seq)];
    if (known === undefined) this.report.note(new Trouble(GAPS, 'journal_short'), where);
    else if (known.hash !== entry.hash) throw bad('entry_other');
  }

  whatNobodySigned({ acts, name }) {
    for (const { entry, trouble } of acts.unsigned) this.report.note(trouble, { file: name, entry: Number(entry.seq) });
  }

  whatIsNotHere(journal) {
    const here = new Set(this.items.filter((one) => one.journal === journal).map((one) => one.entry && one.entry.seq));
    const gone = (name) => this.report.note(new Trouble(GAPS, 'file_missing'), { file: name });
    for (const [segment, seal] of journal.seals) if (!here.has(seal.seq)) gone(`${segment}.lhs`);
    for (const [blob, entry] of journal.blobs) if (!here.has(entry.seq)) gone(`${blob}.lhb`);
    if (this.dock !== null) journal.checkWords(this.dock, this.report);
  }
}

function answers(word, entry) {
  if (entry === null) return false;
  const { kinds, name } = ANSWERS[word.kind];
  return kinds.includes(entry.kind) && word.fields.recorder === entry.device && word.fields[name] === entry.fields[name];
}

/** Judge files, each with `name`, `path`, `size` and `read(offset, length)`. `tick(bytes)` is told of the progress. */
const judgeFiles = (files, tick = async () => {}) => new Judgement(tick).run(files);

/** A dropped file as the rules want it: read in slices only, whatever its size. */
function fileOf(file, path) {
  const read = async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
  return { name: file.name, path: path || file.webkitRelativePath || file.name, size: file.size, read };
}
